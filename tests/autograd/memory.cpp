// The memory pool: alignment, reuse and its statistics.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <thread>

#include <unroll/autograd/variable.hpp>

using namespace unroll;

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(alignment_and_sizes) {
  for (std::size_t bytes : {0u, 1u, 63u, 64u, 65u, 80u, 81u, 1000u, 4096u, 4097u, 1000000u}) {
    Ref<Buffer> b = Buffer::take(bytes);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(b->data()) % 64 == 0u);
    BOOST_TEST(b->bytes >= bytes);
    BOOST_TEST(b->bytes <= std::max<std::size_t>(64, bytes + bytes / 4 + 64));
    std::fill_n(reinterpret_cast<char*>(b->data()), b->bytes, 'x');
  }
}

BOOST_AUTO_TEST_CASE(statistics) {
  release_cached_memory();
  MemoryStatistics before = memory_statistics();
  reset_peak_memory();
  {
    Array a = zeros({1000, 1000});
    MemoryStatistics now = memory_statistics();
    BOOST_TEST(now.live - before.live >= 4000000);
    BOOST_TEST(now.from_system - before.from_system >= 4000000);
    BOOST_TEST(now.peak >= now.live);
    Array b = zeros({1000, 1000});
  }
  MemoryStatistics after = memory_statistics();
  BOOST_TEST(after.live == before.live);
  BOOST_TEST(after.peak - before.live >= 8000000);
  BOOST_TEST(after.from_system - before.from_system >= 8000000);  // cached
  release_cached_memory();
  BOOST_TEST(memory_statistics().from_system <= before.from_system);
  reset_peak_memory();
  BOOST_TEST(memory_statistics().peak == memory_statistics().live);
}

BOOST_AUTO_TEST_CASE(reuse) {
  const void* where = nullptr;
  {
    Array a = zeros({100, 7});
    where = a.raw();
  }
  Array warm = zeros({100, 7});
  BOOST_TEST(warm.raw() == where);
  BOOST_TEST(warm.version() == 0u);
  std::int64_t asked = memory_statistics().allocations;
  for (int k = 0; k < 100; ++k) Array b = zeros({100, 7});
  BOOST_TEST(memory_statistics().allocations - asked <= 1);
}

BOOST_AUTO_TEST_CASE(across_threads) {
  MemoryStatistics before = memory_statistics();
  Array made_elsewhere;
  std::thread([&] { made_elsewhere = zeros({500, 500}); }).join();
  BOOST_TEST(made_elsewhere.at({3, 3}) == 0);
  made_elsewhere = Array();
  Array freed_elsewhere = zeros({500, 500});
  std::thread([moved = std::move(freed_elsewhere)] {}).join();
  release_cached_memory();
  BOOST_TEST(memory_statistics().live <= before.live + 256);
}

BOOST_AUTO_TEST_CASE(of_one_thread) {
  const std::int64_t before = live_memory_of_thread();
  Array mine = zeros({500, 500});
  Array others;
  std::thread([&] { others = zeros({500, 500}); }).join();
  memory_statistics();  // reporting to the others changes nothing
  BOOST_TEST(live_memory_of_thread() - before == std::int64_t(mine.buffer()->bytes));
  mine = Array();
  BOOST_TEST(live_memory_of_thread() == before);
  BOOST_TEST(peak_memory_of_thread() - before >= 1'000'000);
  reset_peak_of_thread();
  BOOST_TEST(peak_memory_of_thread() == before);
}

BOOST_AUTO_TEST_CASE(block_sizes) {
  int before = -1;
  std::size_t payload_before = 0;
  for (std::size_t bytes = 0; bytes < 300'000; bytes += bytes < 2'000 ? 1 : 61) {
    block::Size size = block::size_of(bytes);
    BOOST_TEST_REQUIRE(size.payload >= bytes);
    BOOST_TEST_REQUIRE(size.payload % 64 == 0);
    BOOST_TEST_REQUIRE(size.payload <= bytes + std::max<std::size_t>(64, bytes / 4));
    BOOST_TEST_REQUIRE(size.payload == block::payload_of(size.number));
    BOOST_TEST_REQUIRE((size.number == before) == (size.payload == payload_before));
    before = size.number;
    payload_before = size.payload;
  }
  // A Buffer of a freed Record's block, and the other way round, are as new.
  { Variable freed(ones({3})); }
  Ref<Buffer> buffer = Buffer::take(64);
  BOOST_TEST(buffer->version == 0u);
  BOOST_TEST(buffer->bytes == 64u);
}

// What one thread makes and another frees, over and over, is not kept by both.
BOOST_AUTO_TEST_CASE(a_pool_holds_no_more_than_its_thread_has_used) {
  auto pass = [] {
    Array mine = zeros({300, 300}), others;
    std::thread([&] { others = zeros({300, 300}); }).join();
  };
  pass();
  const auto held = memory_statistics().from_system;
  for (int k = 0; k < 10; ++k) pass();
  BOOST_TEST(memory_statistics().from_system == held);
  Array first = zeros({300, 300}), second = zeros({300, 300});
  const auto asked = memory_statistics().allocations;
  first = second = Array();
  for (int k = 0; k < 10; ++k) Array a = zeros({300, 300}), b = zeros({300, 300});
  BOOST_TEST(memory_statistics().allocations == asked);
}

BOOST_AUTO_TEST_SUITE_END()
