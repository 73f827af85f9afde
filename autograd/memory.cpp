// The caching pool: stacks of freed blocks per thread and size, and the global counts.
#include <unroll/autograd/memory.hpp>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

namespace unroll {

namespace {

struct Counters {
  std::atomic<std::int64_t> live{0}, peak{0}, system{0}, allocations{0};
};
Counters counters;

// Each thread counts for itself and tells the others in steps, as shared counters are slow.
struct LocalCount {
  std::int64_t live = 0, peak = 0;  // since the last report()
  std::int64_t reported = 0;        // live before that
  std::int64_t most = 0;            // the peak of all that, as of the last report()
  void add(std::int64_t bytes) {
    live += bytes;
    if (live > peak) peak = live;
    constexpr std::int64_t kStep = 1 << 16;
    if (static_cast<std::uint64_t>(live + kStep) > 2 * kStep) [[unlikely]] report();
  }
  [[gnu::noinline]] void report() {
    std::int64_t before = counters.live.fetch_add(live, std::memory_order_relaxed);
    std::int64_t highest = counters.peak.load(std::memory_order_relaxed);
    while (before + peak > highest &&
           !counters.peak.compare_exchange_weak(highest, before + peak, std::memory_order_relaxed)) {
    }
    most = std::max(most, reported + peak);
    reported += live;
    live = peak = 0;
  }
};
thread_local constinit LocalCount local_count;

// Touching fresh pages costs several times what the arithmetic on them does, and malloc gives
// memory back between steps; so freed blocks are kept. Four size classes an octave.
constexpr int kClasses = 4 * 48;
constexpr std::size_t kLine = 64;

void count_system(std::size_t payload, int sign) {
  counters.system.fetch_add(sign * static_cast<std::int64_t>(kLine + payload),
                            std::memory_order_relaxed);
}

void to_system(void* block, int number) {
  count_system(block::payload_of(number), -1);
  std::free(block);
}

// The usual ways through take and free are short; the rest is kept out of them.
[[gnu::noinline, gnu::cold]] void* from_system(std::size_t payload) {
  void* memory = std::aligned_alloc(kLine, kLine + payload);
  if (!memory) throw std::bad_alloc();
  count_system(payload, 1);
  counters.allocations.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

// Freed blocks of one size class; the last one freed is the next one taken. A thread that frees what
// others make would pile it up: no more is kept than it had in use at a time itself.
struct FreeStack {
  void** blocks;
  std::size_t size, room;
  std::size_t used, most_used;

  /// nullptr if there is none.
  void* pop() {
    if (++used > most_used) most_used = used;
    if (size == 0) return nullptr;
    void* top = blocks[--size];
    // What a long tape freed has left the cache: those whose turn is near are asked for.
    constexpr std::size_t kAhead = 4;
    if (size >= kAhead) {
      const char* next = static_cast<const char*>(blocks[size - kAhead]);
      __builtin_prefetch(next, 1);
      __builtin_prefetch(next + kLine, 1);
    }
    return top;
  }
  /// False if there is no room, or enough of them.
  bool push(void* block) {
    if (used > 0) --used;
    if (size == room || size + used >= most_used) return false;
    blocks[size++] = block;
    return true;
  }
};
thread_local constinit FreeStack free_stacks[kClasses] = {};

void clear_stacks() {
  for (int c = 0; c < kClasses; ++c) {
    FreeStack& stack = free_stacks[c];
    while (stack.size > 0) to_system(stack.blocks[--stack.size], c);
    std::free(stack.blocks);
    stack.blocks = nullptr;
    stack.room = 0;
  }
}

// Objects may live longer than the stacks of their thread: then their blocks are not kept.
thread_local constinit bool stacks_gone = false;
struct StackOwner {
  ~StackOwner() {
    clear_stacks();
    local_count.report();
    stacks_gone = true;
  }
};

void grow(FreeStack& stack) {
  thread_local StackOwner owner;
  static_cast<void>(owner);
  std::size_t room = stack.room ? 2 * stack.room : 64;
  void* grown = std::realloc(stack.blocks, room * sizeof(void*));
  if (!grown) return;
  stack.blocks = static_cast<void**>(grown);
  stack.room = room;
}

[[gnu::noinline, gnu::cold]] void push_slowly(FreeStack& stack, void* block, int number) {
  const bool enough = stack.size + stack.used >= stack.most_used;
  if (!enough && stack.size == stack.room && !stacks_gone) grow(stack);
  if (enough || stack.size == stack.room) return to_system(block, number);
  stack.blocks[stack.size++] = block;
}

}  // namespace

block::Size block::size_of(std::size_t payload) {
  std::size_t last = payload ? payload - 1 : 0;
  if (last < 4 * kLine) return {static_cast<int>(last / kLine), (last / kLine + 1) * kLine};
  int octave = static_cast<int>(std::bit_width(last)) - 1, unit = octave - 2;
  return {(octave - 7) * 4 + static_cast<int>((last >> unit) & 3), ((last >> unit) + 1) << unit};
}

std::size_t block::payload_of(int number) {
  auto n = static_cast<std::size_t>(number);
  return n < 4 ? (n + 1) * kLine : (n % 4 + 5) << (n / 4 + 5);
}

void* block::take(const Size& size) {
  void* freed = free_stacks[size.number].pop();
  return freed ? freed : from_system(size.payload);
}

void block::free(void* block, int number) {
  FreeStack& stack = free_stacks[number];
  if (!stack.push(block)) push_slowly(stack, block, number);
}

Ref<Buffer> Buffer::take(std::size_t bytes) {
  block::Size size = block::size_of(bytes);
  if (size.number >= kClasses) throw std::bad_alloc();
  auto* buffer = new (block::take(size)) Buffer;
  buffer->size_number = size.number;
  buffer->bytes = size.payload;
  local_count.add(static_cast<std::int64_t>(buffer->bytes));
  return Ref<Buffer>::first(buffer);
}

void Buffer::free(Buffer* buffer) {
  local_count.add(-static_cast<std::int64_t>(buffer->bytes));
  block::free(buffer, buffer->size_number);
}

MemoryStatistics memory_statistics() {
  local_count.report();
  return {counters.live.load(), counters.peak.load(), counters.system.load(),
          counters.allocations.load()};
}

std::int64_t live_memory_of_thread() {
  return local_count.reported + local_count.live;
}

std::int64_t peak_memory_of_thread() {
  local_count.report();
  return local_count.most;
}

void reset_peak_of_thread() {
  local_count.report();
  local_count.most = local_count.reported;
}

void reset_peak_memory() {
  local_count.report();
  counters.peak.store(counters.live.load());
}

void release_cached_memory() {
  clear_stacks();
}

}  // namespace unroll
