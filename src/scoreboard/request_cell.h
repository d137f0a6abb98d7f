// The requests that httpd's children have, on the scoreboard.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "scoreboard/text_words.h"

namespace pyhost::scoreboard {

// What of a request's texts is on the board; the rest is cut off.
inline constexpr std::size_t kMethodBytesMax = 16;
inline constexpr std::size_t kRequestIdBytesMax = 64;
inline constexpr std::size_t kPathBytesMax = 240;

// One request that a child has. Its own line, as its thread alone writes it, but for `told_ns`.
struct alignas(64) RequestCell {
  Word<std::uint64_t> began_ns;  // since boot; 0: free
  Word<std::uint64_t> lengths;   // of the texts, see RunningMark::describe(); 0: they do not count
  Word<std::uint64_t> worker;    // that it was sent to last: its slot and one, and its pid; 0: none
  Word<std::uint64_t> told_ns;   // when that one began that was last told of as slow
};

// The texts of one. By themselves, so that whoever looks which cells are free touches none.
struct alignas(64) RequestTexts {
  TextWord method[kMethodBytesMax / sizeof(std::uint64_t)];
  TextWord id[kRequestIdBytesMax / sizeof(std::uint64_t)];
  TextWord path[kPathBytesMax / sizeof(std::uint64_t)];
};

static_assert(sizeof(RequestCell) == 64 && sizeof(RequestTexts) == 320);

// Both; without a cell there is no request.
struct RequestRow {
  RequestCell* cell_or_null = nullptr;
  RequestTexts* texts = nullptr;
};

// Those of a child.
struct RequestRows {
  std::span<RequestCell> cells;
  std::span<RequestTexts> texts;

  RequestRow at(std::size_t i) const noexcept { return {&cells[i], &texts[i]}; }
};

// Marks that a child has a request, until its end. Of the thread that has it.
class RunningMark {
 public:
  explicit RunningMark(const RequestRow& row) noexcept
      : cell_(row.cell_or_null), texts_(row.texts) {}
  RunningMark(const RunningMark&) = delete;
  RunningMark& operator=(const RunningMark&) = delete;
  ~RunningMark() { end(); }

  // Says which one it is, once. Any bytes.
  void describe(std::string_view method, std::string_view path, std::string_view id) noexcept;
  // Says which worker has it now; the slot is that of the group, not a row.
  void note_worker(std::uint32_t slot, pid_t pid) noexcept;

  // The request is over, or has become something else, which is not marked.
  void end() noexcept {
    if (cell_ != nullptr) clear(*std::exchange(cell_, nullptr));
  }

  // Makes the cell free.
  static void clear(RequestCell& cell) noexcept;

 private:
  RequestCell* cell_;
  RequestTexts* const texts_;
};

// A request that a child has, as others see it.
struct RunningRequest {
  base::TimePoint began;
  std::string method;  // these three may be empty: it has just begun
  std::string path;    // without a query; ends with "..." where it was cut off
  std::string id;
  pid_t child = 0;                    // of httpd
  std::optional<std::uint32_t> slot;  // of the worker that it was sent to; nothing: of none, yet
  pid_t worker = 0;                   // the same
};

// Nothing when the cell is free, or gets free meanwhile. PRECONDITION: there is one.
std::optional<RunningRequest> request_in(const RequestRow& row, pid_t child);

}  // namespace pyhost::scoreboard
