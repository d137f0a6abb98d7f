#include "appmetrics/memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pyhost::appmetrics {
namespace {

constexpr std::uint32_t kStripesMax = 8;
constexpr std::uint32_t kLanesMax = 1 << 14;
constexpr std::uint32_t kPlacesMax = 1 << 15;
// Of a series and its share of the index, at least.
constexpr std::size_t kBytesPerPlace = 128;

tl::unexpected<base::Error> failed(std::string_view what) {
  return base::fail(fmt::format("the memory of application metrics cannot be {}: {}", what,
                                std::strerror(errno)));
}

tl::unexpected<base::Error> malformed() {
  return base::fail("this is no memory of application metrics");
}

std::uint32_t places_for(std::size_t bytes) noexcept {
  return std::min<std::uint32_t>(std::bit_floor(bytes / kBytesPerPlace), kPlacesMax);
}

constexpr std::size_t in_lines(std::size_t bytes) noexcept {
  return (bytes + kLineBytes - 1) / kLineBytes * kLineBytes;
}

std::size_t front_bytes(std::uint32_t lanes, std::uint32_t places) noexcept {
  return sizeof(Header) + in_lines(lanes * sizeof(Lane)) + in_lines(places * sizeof(Words));
}

// Room for a few more workers, so that not every restart with more of them begins anew.
std::uint32_t lanes_for(const Shape& shape) noexcept {
  constexpr std::uint32_t kLanesMin = 8;
  return std::clamp(std::bit_ceil(std::min(shape.lanes(), kLanesMax)), kLanesMin, kLanesMax);
}

}  // namespace

void lay_out(std::span<std::byte> zeroes, const Shape& shape) noexcept {
  auto& header = *reinterpret_cast<Header*>(zeroes.data());
  header.stripes = std::min(std::bit_ceil(std::max(shape.slots, 1u)), kStripesMax);
  header.lanes = lanes_for(shape);
  header.lanes_per_slot = shape.lanes_per_slot;
  header.places = places_for(zeroes.size());
  header.heap_end = front_bytes(lanes_for(shape), places_for(zeroes.size())) / sizeof(Words);
}

base::Result<base::UniqueFd> make_memory(const Shape& shape) {
  const std::size_t bytes = std::clamp(in_lines(shape.bytes), kMemoryBytesMin, kMemoryBytesMax);
  base::UniqueFd fd(::memfd_create("pyhost-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // Everybody can open a new memory file by way of /proc.
  if (!fd.valid() || ::fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0 ||
      ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return failed("made");
  }
  void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (start == MAP_FAILED) return failed("mapped");
  lay_out({static_cast<std::byte*>(start), bytes}, shape);
  ::munmap(start, bytes);
  return fd;
}

bool fits(int memory, const Shape& shape) {
  const auto mapped = Memory::map(memory, Access::read);
  const std::size_t bytes = std::clamp(in_lines(shape.bytes), kMemoryBytesMin, kMemoryBytesMax);
  return mapped && mapped->bytes().size() == bytes &&
         mapped->lanes_per_slot() == shape.lanes_per_slot &&
         mapped->lanes().size() >= std::min(shape.lanes(), kLanesMax);
}

base::Result<Memory> Memory::map(int fd, Access access) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return failed("opened");
  const auto bytes = static_cast<std::size_t>(std::max<off_t>(file.st_size, 0));
  if (bytes < kMemoryBytesMin || bytes > kMemoryBytesMax) return malformed();
  const int protection = access == Access::write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* start = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) return failed("mapped");
  Memory memory(static_cast<char*>(start), bytes, true);
  if (!memory.read_layout()) return malformed();
  return memory;
}

base::Result<Memory> Memory::over(std::span<std::byte> bytes) {
  if (bytes.size() < kMemoryBytesMin || bytes.size() > kMemoryBytesMax) return malformed();
  Memory memory(reinterpret_cast<char*>(bytes.data()), bytes.size(), false);
  if (!memory.read_layout()) return malformed();
  return memory;
}

bool Memory::read_layout() noexcept {
  const std::uint32_t stripes = header().stripes, lanes = header().lanes, places = header().places,
                      per_slot = header().lanes_per_slot;
  if (stripes < 1 || stripes > kStripesMax || lanes < 1 || lanes > kLanesMax || places < 1 ||
      places > kPlacesMax || !std::has_single_bit(places) || per_slot < 1 || per_slot > 2) {
    return false;
  }
  if (front_bytes(lanes, places) > bytes_) return false;
  stripes_ = stripes;
  lanes_per_slot_ = per_slot;
  // Atomics are plain bytes here.
  lanes_ = {reinterpret_cast<Lane*>(start_ + sizeof(Header)), lanes};
  index_ = {reinterpret_cast<Words*>(start_ + sizeof(Header) + in_lines(lanes_.size_bytes())),
            places};
  return true;
}

std::uint64_t Memory::heap_start() const noexcept {
  return front_bytes(static_cast<std::uint32_t>(lanes_.size()),
                     static_cast<std::uint32_t>(index_.size())) /
         sizeof(Words);
}

Memory::Memory(Memory&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)),
      bytes_(other.bytes_),
      mapped_(other.mapped_),
      stripes_(other.stripes_),
      lanes_per_slot_(other.lanes_per_slot_),
      lanes_(other.lanes_),
      index_(other.index_) {}

Memory& Memory::operator=(Memory&& other) noexcept {
  std::swap(start_, other.start_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_, other.mapped_);
  std::swap(stripes_, other.stripes_);
  std::swap(lanes_per_slot_, other.lanes_per_slot_);
  std::swap(lanes_, other.lanes_);
  std::swap(index_, other.index_);
  return *this;
}

Memory::~Memory() {
  if (start_ != nullptr && mapped_) ::munmap(start_, bytes_);
}

}  // namespace pyhost::appmetrics
