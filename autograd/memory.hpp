// Pooled memory: counted buffers, 64-byte aligned, in blocks that a thread keeps when they are
// freed. What a buffer holds is the business of Array; nothing here knows element types or shapes.
#pragma once

#include <cstddef>
#include <cstdint>

#include <unroll/autograd/ref.hpp>

namespace unroll {

/// A block of memory with its header in the cache line before the data.
struct alignas(64) Buffer : Counted {
  std::uint32_t version = 0;     ///< raised by every write after creation; see Array::mutable_data
  std::int32_t size_number = 0;  ///< of its block
  std::size_t bytes = 0;         ///< usable bytes, at least what was asked for

  std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }

  /// A buffer of at least that many bytes with unspecified content, from this thread's pool.
  static Ref<Buffer> take(std::size_t bytes);
  /// Returns it to this thread's pool; called by the last Ref.
  static void free(Buffer* buffer);
};
static_assert(sizeof(Buffer) == 64);

/// Memory in fixed sizes, in which Buffers and Records lie. A freed block waits for its next use in
/// the thread that freed it.
namespace block {
/// A block is a cache line and a payload, of four sizes an octave, which have numbers.
struct Size {
  int number;
  std::size_t payload;  ///< bytes
};
/// The smallest size whose payload has that many bytes.
Size size_of(std::size_t payload);
std::size_t payload_of(int number);
/// 64-byte aligned, with unspecified content; throws std::bad_alloc.
void* take(const Size& size);
void free(void* block, int number);
}  // namespace block

/// Bytes of all threads together; other threads' latest 64 KiB may be missing.
struct MemoryStatistics {
  std::int64_t live = 0;         ///< in buffers that are in use
  std::int64_t peak = 0;         ///< highest live since the start or reset_peak_memory()
  std::int64_t from_system = 0;  ///< held, in use or cached; Records count too
  std::int64_t allocations = 0;  ///< how often the system was asked
};

MemoryStatistics memory_statistics();
/// Bytes of the buffers that this thread took, less those that it freed, whoever took them: its
/// change tells what a piece of code left behind, whatever other threads do meanwhile.
std::int64_t live_memory_of_thread();
/// The most of that since reset_peak_of_thread().
std::int64_t peak_memory_of_thread();
/// Starts a new measurement of this thread's peak, from what it holds now.
void reset_peak_of_thread();
/// Starts a new measurement of the peak, from what is live now.
void reset_peak_memory();
/// Gives this thread's cached blocks back to the system.
void release_cached_memory();

}  // namespace unroll
