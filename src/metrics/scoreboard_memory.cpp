#include "metrics/scoreboard_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <numeric>
#include <utility>

namespace pyhost::metrics {
namespace {

constexpr std::uint64_t kMagic = 0x6472'6f62'7473'6f68;
constexpr std::uint32_t kVersion = 6;
// Keeps the sizes below far from overflow, and no configuration comes near.
constexpr std::uint32_t kRowsMax = 1 << 16;

std::uint64_t holdings_per_child(std::size_t slots, std::size_t groups) noexcept {
  return kPlaceCounts * slots + groups;
}

std::uint64_t holdings_count(const BoardHeader& header) noexcept {
  return header.children * holdings_per_child(header.slots, header.groups);
}

std::uint64_t cells_count(const BoardHeader& header) noexcept {
  return std::uint64_t{header.children} * header.waiters;
}

std::uint64_t bytes_for(const BoardHeader& header) noexcept {
  return sizeof(BoardHeader) + header.groups * sizeof(GroupRow) + header.slots * sizeof(SlotRow) +
         header.children * sizeof(ChildRow) + cells_count(header) * sizeof(WaiterCell) +
         holdings_count(header) * sizeof(Holding);
}

base::Result<char*> map_bytes(int fd, std::size_t bytes) {
  void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) {
    return base::fail(
        fmt::format("the scoreboard of {} bytes cannot be mapped: {}", bytes, strerror(errno)));
  }
  return static_cast<char*>(start);
}

base::Result<> check(const BoardHeader& header, std::uint64_t file_bytes) {
  if (header.magic != kMagic || header.version != kVersion) {
    return base::fail("the scoreboard is of another build; restart httpd");
  }
  const bool sane = header.groups <= kRowsMax && header.slots <= kRowsMax &&
                    header.children <= kRowsMax && header.waiters <= kRowsMax &&
                    header.total_bytes == bytes_for(header) && header.total_bytes == file_bytes;
  if (!sane) return base::fail("the scoreboard's size does not match its contents; restart httpd");
  return {};
}

}  // namespace

base::Result<ScoreboardMemory> ScoreboardMemory::create(
    std::span<const std::uint32_t> slots_of_group, std::uint32_t children_max,
    std::uint32_t waiters_of_child) {
  const auto slots = std::accumulate(slots_of_group.begin(), slots_of_group.end(), std::uint64_t{});
  if (slots_of_group.size() > kRowsMax || slots > kRowsMax || children_max > kRowsMax ||
      waiters_of_child > kRowsMax) {
    return base::fail(fmt::format("a scoreboard for {} workers and {} httpd children is too large",
                                  slots, children_max));
  }
  BoardHeader header{.magic = kMagic,
                     .version = kVersion,
                     .groups = static_cast<std::uint32_t>(slots_of_group.size()),
                     .slots = static_cast<std::uint32_t>(slots),
                     .children = children_max,
                     .waiters = waiters_of_child};
  header.total_bytes = bytes_for(header);
  base::UniqueFd fd(::memfd_create("pyhost-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid() || ::ftruncate(fd.get(), static_cast<off_t>(header.total_bytes)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return base::fail(fmt::format("the scoreboard cannot be made: {}", strerror(errno)));
  }
  PH_TRY(start, map_bytes(fd.get(), header.total_bytes));
  new (start) BoardHeader(header);
  ScoreboardMemory memory(std::move(fd), start, header);
  std::uint32_t first = 0;
  for (std::size_t group = 0; group < slots_of_group.size(); ++group) {
    memory.groups_[group].first_slot = first;
    memory.groups_[group].slots = slots_of_group[group];
    first += slots_of_group[group];
  }
  memory.read_ranges();
  return memory;
}

base::Result<ScoreboardMemory> ScoreboardMemory::map(base::UniqueFd fd) {
  struct stat file {};
  if (::fstat(fd.get(), &file) != 0) {
    return base::fail(fmt::format("the scoreboard cannot be opened: {}", strerror(errno)));
  }
  BoardHeader header{};
  if (::pread(fd.get(), &header, sizeof header, 0) != sizeof header) {
    return base::fail("the scoreboard is shorter than its header; restart httpd");
  }
  PH_TRY_VOID(check(header, static_cast<std::uint64_t>(file.st_size)));
  PH_TRY(start, map_bytes(fd.get(), header.total_bytes));
  ScoreboardMemory memory(std::move(fd), start, header);
  memory.read_ranges();
  for (const SlotRange& range : memory.ranges_) {
    if (std::uint64_t{range.first} + range.count > header.slots) {
      return base::fail("a row of the scoreboard lies outside it; restart httpd");
    }
  }
  return memory;
}

// A fresh memfd is all zeroes, which is every row's first state; atomics are plain bytes here.
ScoreboardMemory::ScoreboardMemory(base::UniqueFd fd, char* start,
                                   const BoardHeader& header) noexcept
    : fd_(std::move(fd)), start_(start), total_bytes_(header.total_bytes) {
  char* at = start + sizeof(BoardHeader);
  const auto take = [&at]<class Row>(std::uint64_t count, std::span<Row>& rows) {
    rows = {reinterpret_cast<Row*>(at), count};
    at += count * sizeof(Row);
  };
  take(header.groups, groups_);
  take(header.slots, slots_);
  take(header.children, children_);
  cells_per_child_ = header.waiters;
  take(cells_count(header), cells_);
  take(holdings_count(header), holdings_);
}

ScoreboardMemory::ScoreboardMemory(ScoreboardMemory&& other) noexcept
    : fd_(std::move(other.fd_)),
      start_(std::exchange(other.start_, nullptr)),
      total_bytes_(other.total_bytes_),
      ranges_(std::move(other.ranges_)),
      groups_(other.groups_),
      slots_(other.slots_),
      children_(other.children_),
      cells_per_child_(other.cells_per_child_),
      cells_(other.cells_),
      holdings_(other.holdings_) {}

ScoreboardMemory::~ScoreboardMemory() {
  if (start_ != nullptr) ::munmap(start_, total_bytes_);
}

void ScoreboardMemory::read_ranges() {
  for (const GroupRow& group : groups_) ranges_.push_back({group.first_slot, group.slots});
}

std::span<WaiterCell> ScoreboardMemory::cells_of(std::size_t child) const noexcept {
  return cells_.subspan(child * cells_per_child_, cells_per_child_);
}

std::span<Holding> ScoreboardMemory::holdings_of(std::size_t child) const noexcept {
  const std::size_t width = holdings_per_child(slots_.size(), groups_.size());
  return holdings_.subspan(child * width, width);
}

Holding& ScoreboardMemory::places_of(std::size_t child, std::size_t slot,
                                     std::size_t count) const noexcept {
  return holdings_of(child)[kPlaceCounts * slot + count];
}

Holding& ScoreboardMemory::queued_of(std::size_t child, std::size_t group) const noexcept {
  return holdings_of(child)[kPlaceCounts * slots_.size() + group];
}

}  // namespace pyhost::metrics
