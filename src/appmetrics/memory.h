// The memory that a process group's application metrics are in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "appmetrics/layout.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::appmetrics {

// More series than this are dropped, however much room there is.
inline constexpr std::uint32_t kSeriesMax = 10'000;
inline constexpr std::size_t kMemoryBytesMin = 16 * 1024;
inline constexpr std::size_t kMemoryBytesMax = 256 * 1024 * 1024;

struct Shape {
  std::size_t bytes = 0;  // 0: there are to be no metrics
  std::uint32_t slots = 1;
  std::uint32_t lanes_per_slot = 2;

  std::uint32_t lanes() const noexcept { return slots * lanes_per_slot; }
};

// A new file, close-on-exec, that cannot change its size and that only the caller's user can open
// anew.
base::Result<base::UniqueFd> make_memory(const Shape& shape);
// Whether such a file is there for that shape: it has that size, and room for so many slots.
bool fits(int memory, const Shape& shape);

enum class Access { read, write };

// Of the file, mapped, or of any other memory. What the header says of the layout is read once, and
// is then within the memory; all else is looked at again each time. Words may be touched by any
// thread.
class Memory {
 public:
  // The descriptor stays the caller's. Fails for what is no such file.
  static base::Result<Memory> map(int fd, Access access);
  // That somebody else has mapped, for longer.
  static base::Result<Memory> over(std::span<std::byte> bytes);

  Memory(Memory&& other) noexcept;
  Memory& operator=(Memory&& other) noexcept;
  ~Memory();

  Header& header() const noexcept { return *reinterpret_cast<Header*>(start_); }
  std::span<Lane> lanes() const noexcept { return lanes_; }
  std::span<Words> index() const noexcept { return index_; }
  std::uint32_t stripes() const noexcept { return stripes_; }
  std::uint32_t lanes_per_slot() const noexcept { return lanes_per_slot_; }

  // All of it, in words.
  std::uint64_t size() const noexcept { return bytes_ / sizeof(Words); }
  // Where records begin.
  std::uint64_t heap_start() const noexcept;
  Words& word(std::uint64_t at) const noexcept { return reinterpret_cast<Words*>(start_)[at]; }
  bool contains(std::uint64_t at, std::uint64_t words) const noexcept {
    return at <= size() && words <= size() - at;
  }
  std::span<std::byte> bytes() const noexcept {
    return {reinterpret_cast<std::byte*>(start_), bytes_};
  }

 private:
  Memory(char* start, std::size_t bytes, bool mapped) noexcept
      : start_(start), bytes_(bytes), mapped_(mapped) {}
  bool read_layout() noexcept;

  char* start_;
  std::size_t bytes_;
  bool mapped_;
  std::uint32_t stripes_ = 0;
  std::uint32_t lanes_per_slot_ = 1;
  std::span<Lane> lanes_;
  std::span<Words> index_;
};

// Makes zeroed memory of that shape what it is to be.
void lay_out(std::span<std::byte> zeroes, const Shape& shape) noexcept;

}  // namespace pyhost::appmetrics
