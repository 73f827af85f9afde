// The caching pool behind Buffer: free lists per thread and size class, and the global counts.
#include <unroll/autograd/memory.hpp>

#include <bit>
#include <cstdlib>
#include <new>
#include <vector>

namespace unroll {

namespace {

// Touching fresh pages costs several times what the arithmetic on them does, and malloc gives
// memory back between steps; so freed buffers are kept. Four size classes an octave from 64 bytes.
constexpr int kBuckets = 4 * 48;

struct Counters {
  std::atomic<std::int64_t> live{0}, peak{0}, system{0}, allocations{0};
};
Counters counters;

int bucket_of(std::size_t bytes) {
  if (bytes <= 64) return 0;
  std::size_t last = bytes - 1;
  int octave = static_cast<int>(std::bit_width(last)) - 1;  // >= 6
  return (octave - 6) * 4 + static_cast<int>((last >> (octave - 2)) & 3) + 1;
}

std::size_t bytes_of_bucket(int bucket) {
  if (bucket == 0) return 64;
  int octave = (bucket - 1) / 4 + 6, quarter = (bucket - 1) % 4;
  return (std::size_t{1} << octave) + (std::size_t(quarter) + 1) * (std::size_t{1} << (octave - 2));
}

void to_system(Buffer* buffer) {
  counters.system.fetch_sub(static_cast<std::int64_t>(buffer->bytes), std::memory_order_relaxed);
  buffer->~Buffer();
  std::free(buffer);
}

// Each thread counts for itself and tells the others in steps, as shared counters are slow.
struct LocalCount {
  std::int64_t live = 0, peak = 0;  // since the last report()
  void add(std::int64_t bytes) {
    live += bytes;
    if (live > peak) peak = live;
    constexpr std::int64_t kStep = 1 << 16;
    if (live > kStep || live < -kStep) report();
  }
  void report() {
    std::int64_t before = counters.live.fetch_add(live, std::memory_order_relaxed);
    std::int64_t highest = counters.peak.load(std::memory_order_relaxed);
    while (before + peak > highest &&
           !counters.peak.compare_exchange_weak(highest, before + peak, std::memory_order_relaxed)) {
    }
    live = peak = 0;
  }
};
thread_local constinit LocalCount local_count;

struct Pool {
  std::vector<Buffer*> free[kBuckets];
  void clear() {
    for (auto& list : free) {
      for (Buffer* b : list) to_system(b);
      list.clear();
    }
  }
};

// The pool may be gone while objects with longer lives still free their buffers.
thread_local constinit bool pool_gone = false;
thread_local constinit Pool* this_pool = nullptr;
struct PoolOwner {
  Pool pool;
  ~PoolOwner() {
    pool.clear();
    local_count.report();
    pool_gone = true;
    this_pool = nullptr;
  }
};

Pool* pool() {
  if (this_pool || pool_gone) return this_pool;
  thread_local PoolOwner owner;
  return this_pool = &owner.pool;
}

}  // namespace

Ref<Buffer> Buffer::take(std::size_t bytes) {
  int bucket = bucket_of(bytes);
  if (bucket >= kBuckets) throw std::bad_alloc();
  Buffer* buffer = nullptr;
  Pool* p = pool();
  if (p && !p->free[bucket].empty()) {
    buffer = p->free[bucket].back();
    p->free[bucket].pop_back();
    if (!p->free[bucket].empty()) __builtin_prefetch(p->free[bucket].back(), 1);
    buffer->version = 0;
  } else {
    std::size_t usable = (bytes_of_bucket(bucket) + 63) / 64 * 64;
    void* memory = std::aligned_alloc(64, sizeof(Buffer) + usable);
    if (!memory) throw std::bad_alloc();
    buffer = new (memory) Buffer;
    buffer->bucket = bucket;
    buffer->bytes = usable;
    counters.system.fetch_add(static_cast<std::int64_t>(usable), std::memory_order_relaxed);
    counters.allocations.fetch_add(1, std::memory_order_relaxed);
  }
  local_count.add(static_cast<std::int64_t>(buffer->bytes));
  return Ref<Buffer>(buffer);
}

void Buffer::free(Buffer* buffer) {
  local_count.add(-static_cast<std::int64_t>(buffer->bytes));
  buffer->count.store(0, std::memory_order_relaxed);
  if (Pool* p = pool()) p->free[buffer->bucket].push_back(buffer);
  else to_system(buffer);
}

MemoryStatistics memory_statistics() {
  local_count.report();
  return {counters.live.load(), counters.peak.load(), counters.system.load(),
          counters.allocations.load()};
}

void reset_peak_memory() {
  local_count.report();
  counters.peak.store(counters.live.load());
}

void release_cached_memory() {
  if (Pool* p = pool()) p->clear();
}

}  // namespace unroll
