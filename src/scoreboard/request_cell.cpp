#include "scoreboard/request_cell.h"

#include <algorithm>

namespace pyhost::scoreboard {
namespace {

// How `lengths` has them: set, and of each text how long it was.
constexpr std::uint64_t kDescribed = std::uint64_t{1} << 63;
constexpr unsigned kLengthBits = 16;
constexpr std::uint64_t kLengthMax = (std::uint64_t{1} << kLengthBits) - 1;
enum class Text : unsigned { method, path, id };

std::uint64_t packed(Text text, std::size_t length) noexcept {
  return std::min<std::uint64_t>(length, kLengthMax) << static_cast<unsigned>(text) * kLengthBits;
}

std::uint64_t length_of(Text text, std::uint64_t lengths) noexcept {
  return lengths >> static_cast<unsigned>(text) * kLengthBits & kLengthMax;
}

template <std::size_t kWords>
void put(TextWord (&words)[kWords], std::string_view text) noexcept {
  write_text(words, text.substr(0, sizeof words));
}

template <std::size_t kWords>
std::string text_in(const TextWord (&words)[kWords], std::uint64_t length) {
  std::string text = read_text(words, length);
  if (length > sizeof words) text.replace(text.size() - 3, 3, "...");
  return text;
}

// Of the worker's word: its pid below, its slot and one above.
constexpr unsigned kPidBits = 32;

}  // namespace

void RunningMark::describe(std::string_view method, std::string_view path,
                           std::string_view id) noexcept {
  if (cell_ == nullptr) return;
  put(texts_->method, method);
  put(texts_->path, path);
  put(texts_->id, id);
  cell_->lengths.store(kDescribed | packed(Text::method, method.size()) |
                           packed(Text::path, path.size()) | packed(Text::id, id.size()),
                       std::memory_order_release);
}

void RunningMark::note_worker(std::uint32_t slot, pid_t pid) noexcept {
  if (cell_ == nullptr) return;
  cell_->worker.store((std::uint64_t{slot} + 1) << kPidBits | static_cast<std::uint32_t>(pid),
                      std::memory_order_release);
}

// In this order: whoever takes the cell next finds it empty, and may be killed before it has
// described its request.
void RunningMark::clear(RequestCell& cell) noexcept {
  cell.lengths.store(0, std::memory_order_relaxed);
  cell.worker.store(0, std::memory_order_relaxed);
  cell.began_ns.store(0, std::memory_order_release);
}

std::optional<RunningRequest> request_in(const RequestRow& row, pid_t child) {
  const RequestCell& cell = *row.cell_or_null;
  const RequestTexts& texts = *row.texts;
  const std::uint64_t began = cell.began_ns.load(std::memory_order_acquire);
  if (began == 0) return std::nullopt;
  RunningRequest request{.began = base::TimePoint{base::Clock::duration(began)}, .child = child};
  const std::uint64_t lengths = cell.lengths.load(std::memory_order_acquire);
  if (lengths != 0) {
    request.method = text_in(texts.method, length_of(Text::method, lengths));
    request.path = text_in(texts.path, length_of(Text::path, lengths));
    request.id = text_in(texts.id, length_of(Text::id, lengths));
  }
  const std::uint64_t worker = cell.worker.load(std::memory_order_acquire);
  if (worker != 0) {
    request.slot = static_cast<std::uint32_t>((worker >> kPidBits) - 1);
    request.worker = static_cast<pid_t>(worker & 0xffffffff);
  }
  // Who takes the cell writes when it begins before all else: if that is the same, so is the rest.
  if (cell.began_ns.load(std::memory_order_acquire) != began) return std::nullopt;
  return request;
}

}  // namespace pyhost::scoreboard
