#include "scoreboard/scoreboard_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace pyhost::scoreboard {
namespace {

// Keeps the sizes below far from overflow, and no configuration comes near.
constexpr std::uint32_t kRowsMax = 1 << 16;
// Reports cannot grow, because workers could make them grow as well. What is not used takes no
// memory.
constexpr std::uint32_t kReportedSlotsMin = 1024;

constexpr std::uint64_t in_rows(std::uint64_t bytes) noexcept {
  return (bytes + kRowAlignment - 1) / kRowAlignment * kRowAlignment;
}

std::uint64_t bytes_of_slot(const BoardHeader& header) noexcept {
  return sizeof(SlotRow) + in_rows(header.children * kLeaseCounts * sizeof(Count));
}

std::uint64_t bytes_of_cells(const BoardHeader& header) noexcept {
  return in_rows(std::uint64_t{header.children} * header.waiters * sizeof(WaiterCell));
}

std::uint64_t bytes_of_requests(const BoardHeader& header) noexcept {
  return std::uint64_t{header.children} * header.waiters *
         (sizeof(RequestCell) + sizeof(RequestTexts));
}

// Of all before the first slot.
std::uint64_t bytes_of_front(const BoardHeader& header) noexcept {
  return sizeof(BoardHeader) + sizeof(GroupRow) + sizeof(BoardTotals) + sizeof(TroubleRows) +
         header.children * sizeof(ChildRow) + bytes_of_cells(header) + bytes_of_requests(header);
}

tl::unexpected<base::Error> failed(std::string_view what) {
  const int why = errno;
  const bool is_limit = why == EMFILE || why == ENFILE;
  return base::fail(fmt::format("the scoreboard cannot be {}: {}{}", what, std::strerror(why),
                                is_limit ? "; raise the limit of open files where httpd is started "
                                           "(ulimit -Hn, LimitNOFILE=)"
                                         : ""));
}

base::Result<std::uint64_t> size_of(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return failed("opened");
  return static_cast<std::uint64_t>(file.st_size);
}

base::Result<base::UniqueFd> make_file(const char* name, std::uint64_t bytes, int seals) {
  base::UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // Everybody can open a new memory file by way of /proc.
  if (!fd.valid() || ::fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0 ||
      ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, seals | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return failed("made");
  }
  return fd;
}

base::Result<BoardHeader> read_header(int board) {
  BoardHeader header{};
  if (::pread(board, &header, sizeof header, 0) != sizeof header) {
    return base::fail("the scoreboard is shorter than its header; restart httpd");
  }
  const std::string_view build(header.build, ::strnlen(header.build, sizeof header.build));
  if (build != gateway::kBuildId) {
    return base::fail("the scoreboard is of another build; restart httpd");
  }
  if (header.children > kRowsMax || header.waiters > kRowsMax) {
    return base::fail("the scoreboard's size does not match its contents; restart httpd");
  }
  return header;
}

}  // namespace

base::Result<BoardFiles> make_board_files(const BoardSize& size) {
  if (std::max({size.slots, size.children, size.waiters}) > kRowsMax) {
    return base::fail(fmt::format("a scoreboard for {} workers and {} httpd children is too large",
                                  size.slots, size.children));
  }
  BoardHeader header{.build = {}, .children = size.children, .waiters = size.waiters};
  std::string_view(gateway::kBuildId).copy(header.build, gateway::kBuildIdBytesMax);
  BoardFiles files;
  PH_TRY(board, make_file("pyhost-board", bytes_of_front(header), 0));
  files.board = std::move(board);
  const auto reported = std::max(kReportedSlotsMin, std::bit_ceil(size.slots));
  PH_TRY(reports,
         make_file("pyhost-reports",
                   std::uint64_t{reported} * kReportsOfSlot * sizeof(WorkerReport), F_SEAL_GROW));
  files.reports = std::move(reports);
  if (::pwrite(files.board.get(), &header, sizeof header, 0) != sizeof header) {
    return failed("written");
  }
  PH_TRY_VOID(grow_board(files.board.get(), files.reports.get(), size.slots));
  return files;
}

base::Result<bool> grow_board(int board, int reports, std::uint32_t slots) {
  PH_TRY(header, read_header(board));
  PH_TRY(reported, size_of(reports));
  if (slots > kRowsMax || reported / sizeof(WorkerReport) / kReportsOfSlot < slots) return false;
  PH_TRY(present, size_of(board));
  const std::uint64_t wanted = bytes_of_front(header) + slots * bytes_of_slot(header);
  if (wanted > present && ::ftruncate(board, static_cast<off_t>(wanted)) != 0) {
    return failed("made larger");
  }
  return true;
}

base::Result<base::UniqueFd> open_board_for_reading(int board) {
  base::UniqueFd fd(::open(fmt::format("/proc/self/fd/{}", board).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return failed("opened for a worker (is /proc mounted?)");
  return fd;
}

base::Result<Mapping> Mapping::of(int fd, Access access) {
  PH_TRY(bytes, size_of(fd));
  const int protection = access == Access::write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* start = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) return failed("mapped");
  Mapping mapping;
  mapping.start_ = static_cast<char*>(start);
  mapping.bytes_ = bytes;
  return mapping;
}

Mapping::Mapping(Mapping&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)), bytes_(other.bytes_) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(start_, other.start_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Mapping::~Mapping() {
  if (start_ != nullptr) ::munmap(start_, bytes_);
}

base::Result<BoardMemory> BoardMemory::map(int fd, Access access) {
  PH_TRY(header, read_header(fd));
  PH_TRY(mapping, Mapping::of(fd, access));
  if (mapping.bytes() < bytes_of_front(header)) {
    return base::fail("the scoreboard's size does not match its contents; restart httpd");
  }
  return BoardMemory(std::move(mapping), header);
}

// Atomics are plain bytes here.
BoardMemory::BoardMemory(Mapping mapping, const BoardHeader& header) noexcept
    : mapping_(std::move(mapping)), cells_per_child_(header.waiters) {
  char* at = mapping_.start() + sizeof(BoardHeader);
  group_ = reinterpret_cast<GroupRow*>(at);
  at += sizeof(GroupRow);
  totals_ = reinterpret_cast<BoardTotals*>(at);
  at += sizeof(BoardTotals);
  troubles_ = reinterpret_cast<TroubleRows*>(at);
  at += sizeof(TroubleRows);
  children_ = {reinterpret_cast<ChildRow*>(at), header.children};
  at += children_.size_bytes();
  cells_ = {reinterpret_cast<WaiterCell*>(at), header.children * cells_per_child_};
  at += bytes_of_cells(header);
  const std::size_t requests = header.children * cells_per_child_;
  requests_.cells = {reinterpret_cast<RequestCell*>(at), requests};
  at += requests_.cells.size_bytes();
  requests_.texts = {reinterpret_cast<RequestTexts*>(at), requests};
  first_slot_ = at + requests_.texts.size_bytes();
  bytes_of_slot_ = bytes_of_slot(header);
  const std::uint64_t room = (mapping_.bytes() - bytes_of_front(header)) / bytes_of_slot_;
  slots_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(room, kRowsMax));
}

SlotRow& BoardMemory::slot(std::uint32_t slot) const noexcept {
  return *reinterpret_cast<SlotRow*>(first_slot_ + slot * bytes_of_slot_);
}

std::span<WaiterCell> BoardMemory::cells_of(std::size_t child) const noexcept {
  return cells_.subspan(child * cells_per_child_, cells_per_child_);
}

RequestRows BoardMemory::requests_of(std::size_t child) const noexcept {
  const std::size_t first = child * cells_per_child_;
  return {requests_.cells.subspan(first, cells_per_child_),
          requests_.texts.subspan(first, cells_per_child_)};
}

Count& BoardMemory::leases_of(std::size_t child, std::uint32_t slot,
                              std::size_t count) const noexcept {
  auto* counts = reinterpret_cast<Count*>(&this->slot(slot) + 1);
  return counts[kLeaseCounts * child + count];
}

base::Result<ReportMemory> ReportMemory::map(int fd, Access access) {
  PH_TRY(mapping, Mapping::of(fd, access));
  return ReportMemory(std::move(mapping));
}

std::uint32_t ReportMemory::slots() const noexcept {
  const std::size_t slots = mapping_.bytes() / sizeof(WorkerReport) / kReportsOfSlot;
  return static_cast<std::uint32_t>(std::min<std::size_t>(slots, kRowsMax));
}

WorkerReport& ReportMemory::of(std::uint32_t slot, std::uint32_t report) const noexcept {
  auto* reports = reinterpret_cast<WorkerReport*>(mapping_.start());
  return reports[kReportsOfSlot * slot + report % kReportsOfSlot];
}

}  // namespace pyhost::scoreboard
