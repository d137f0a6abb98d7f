#include "wsgi/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/out_of_memory.h"
#include "base/short_text.h"
#include "pyhost/gateway/http_status.h"
#include "python/compat.h"

namespace pyhost::wsgi {

using gateway::BodyFault;
using gateway::FailureCause;
using gateway::Outcome;
using gateway::ReplyPart;
using State = ReplyWriter::State;

namespace {

// Latin-1 (PEP 3333, native strings); UTF-8 for a name that is not; empty when it is neither.
std::string native_bytes_of(PyObject* text) {
  python::Ref bytes = python::Ref::steal(PyUnicode_AsLatin1String(text));
  if (!bytes) PyErr_Clear();
  if (!bytes) bytes = python::Ref::steal(PyUnicode_AsUTF8String(text));
  if (!bytes) PyErr_Clear();
  if (!bytes) return {};
  return {PyBytes_AS_STRING(bytes.get()), std::size_t(PyBytes_GET_SIZE(bytes.get()))};
}

std::string_view user_of(const gateway::RequestHead& head) noexcept {
  std::string_view user;
  for (const gateway::EnvironEntry& entry : head.environ) {
    if (entry.key == gateway::EnvironKey::remote_user) user = entry.value;
  }
  return user;
}

// Counts what is done in its scope, where there is somebody to count it.
class Counted {
 public:
  explicit Counted(python::Tally* tally_or_null) noexcept : tally_(tally_or_null) {
    if (tally_ != nullptr) began_ = base::Clock::now();
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    if (tally_ != nullptr) tally_->add(times_, bytes_, base::Clock::now() - began_);
  }

  void add(std::uint64_t bytes) noexcept {
    if (bytes == 0) return;
    ++times_;
    bytes_ += bytes;
  }

 private:
  python::Tally* const tally_;
  base::TimePoint began_;
  std::uint64_t times_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

python::RequestMeter& Request::measure() noexcept {
  if (!full_meter_) full_meter_.emplace();
  return *full_meter_;
}

void Request::note_interpreter_wait(base::Clock::duration wait) noexcept {
  meter_.note_interpreter_wait(wait);
  if (full_meter_) full_meter_->waits.add(1, 0, wait);
}

void Request::be_observed_by(python::RequestObserver& observer) noexcept {
  observer_ = &observer;
  measure();
}

python::ObservedRequest Request::sketch() noexcept {
  return {.head = exchange_.head(),
          .callable = target_.callable,
          .data = data_,
          .meter = *full_meter_,
          .status = response_.status()};
}

void Request::start(StartedResponse response) {
  response_ = std::move(response);
  started_ = true;
}

void Request::hold(std::span<const std::string_view> blocks) {
  std::size_t total = 0;
  for (const std::string_view block : blocks) total += block.size();
  held_.reserve(total);
  if (full_meter_) count_joined(blocks);
  for (const std::string_view block : blocks) held_.append(block);
  commit();
  holding_ = true;
}

// They leave as one, and count as many.
void Request::count_joined(std::span<const std::string_view> blocks) noexcept {
  const auto filled =
      std::ranges::count_if(blocks, [](std::string_view block) { return !block.empty(); });
  if (filled > 1) full_meter_->output.add(static_cast<std::uint64_t>(filled) - 1, 0, {});
}

void Request::keep_environ(python::Ref environ, PyObject* key) noexcept {
  environ_ = std::move(environ);
  user_key_ = key;
}

void Request::commit() {
  if (std::exchange(committed_, true)) return;
  if (environ_) note_user();
  response_.annotate(notes_.take());
}

// The last word is that of mod_wsgi.set_user(). What is no name is nothing to fail for.
void Request::note_user() {
  using gateway::Annotation;
  const python::Ref environ = std::move(environ_);
  const python::Ref user = python::get_item(environ.get(), user_key_);
  if (!user) PyErr_Clear();
  if (!user || !PyUnicode_Check(user.get()) || notes_.has_user()) return;
  std::string name = native_bytes_of(user.get());
  if (name == user_of(exchange_.head())) return;
  static_cast<void>(notes_.set({Annotation::Kind::user, "", std::move(name)}));
}

void Request::fail(int status, FailureCause cause) noexcept {
  const BodyFault fault = fault_;
  failure_ = fault == BodyFault::none ? cause : FailureCause::upload;
  failed_status_ = fault == BodyFault::none ? status : gateway::status_of(fault);
}

gateway::BodyRead Request::read_body(std::span<char> into) noexcept {
  const std::lock_guard lock(mutex_);
  Counted counted(full_meter_ ? &full_meter_->input : nullptr);
  const gateway::BodyRead read = exchange_.read_body(into);
  counted.add(read.bytes);
  if (read.fault != BodyFault::none) fault_ = read.fault;
  return read;
}

void Request::note(base::LogLevel level, base::Message message, std::string_view text) noexcept {
  const std::lock_guard lock(mutex_);
  exchange_.log(level, message, text);
}

// What the application makes of a broken request body may not blame the server for it.
bool Request::gives_way_to_fault() noexcept {
  constexpr int kServerError = 500;
  if (fault_ == BodyFault::none || response_.status() < kServerError) return false;
  if (writer_.state() != State::unsent) return false;
  fail(response_.status(), FailureCause::upload);
  return true;
}

bool Request::send(std::span<const std::string_view> blocks, ReplyPart::Then then) noexcept {
  const std::lock_guard lock(mutex_);
  if (failed() || gives_way_to_fault()) return false;
  Counted counted(full_meter_ ? &full_meter_->output : nullptr);
  for (const std::string_view block : blocks) counted.add(block.size());
  return base::unless_out_of_memory([&] { return send_locked(blocks, then); },
                                    [this] { return give_up(); });
}

// Behind what is kept.
bool Request::send_locked(std::span<const std::string_view> blocks, ReplyPart::Then then) {
  kept_.take(leaving_);
  if (!leaving_.empty()) {
    leaving_blocks_.assign(1, leaving_);
    leaving_blocks_.insert(leaving_blocks_.end(), blocks.begin(), blocks.end());
    blocks = leaving_blocks_;
  }
  const bool goes_on = writer_.send(response_, blocks, then) != State::stopped;
  note_sent_locked();
  return goes_on;
}

void Request::note_sent_locked() noexcept {
  leaving_.clear();
  wants_more_ = writer_.wants_more();
  kept_.note_sent(failed() ? 0 : writer_.room());
}

// --- Blocks that are kept ---

bool Request::keep(std::string_view block) noexcept {
  if (!committed_ || !kept_.keep(block)) return false;
  if (full_meter_) full_meter_->output.add(1, block.size(), {});
  return true;
}

bool Request::push() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;
  send_kept_locked();
  return true;
}

void Request::send_kept_locked() noexcept {
  kept_.take(leaving_);
  if (leaving_.empty()) return;
  const std::string_view block = leaving_;
  base::unless_out_of_memory(
      [&] {
        static_cast<void>(writer_.send(response_, {&block, 1}, ReplyPart::Then::pause));
      },
      [this] { give_up(); });
  note_sent_locked();
}

bool Request::send_file(gateway::FileRange range) noexcept {
  const std::lock_guard lock(mutex_);
  if (failed() || gives_way_to_fault()) return false;
  Counted counted(full_meter_ ? &full_meter_->output : nullptr);
  counted.add(range.length);
  return base::unless_out_of_memory(
      [&] { return writer_.send_file(response_, range) != State::stopped; },
      [this] { return give_up(); });
}

// There is no memory to send it with.
bool Request::give_up() noexcept {
  const base::ShortText text("there is no memory left for a request, which was given up: {}",
                             target_.script);
  exchange_.log(base::LogLevel::error, base::Message::memory_exhausted, text.view());
  fail(gateway::kServiceUnavailable, FailureCause::out_of_memory);
  return false;
}

bool Request::client_gone() noexcept {
  const std::lock_guard lock(mutex_);
  return exchange_.client_gone();
}

void Request::send_early_hints(std::span<const gateway::Header> headers) noexcept {
  const std::lock_guard lock(mutex_);
  if (!failed() && writer_.state() == State::unsent) exchange_.send_early_hints(headers);
}

Outcome Request::finish() noexcept {
  if (link_->close()) link_->wait_for_uses();
  kept_.end();
  {
    const std::lock_guard lock(mutex_);
    send_kept_locked();
  }
  if (holding_ && !failed()) {
    const std::string_view block = held_;
    send({&block, 1}, ReplyPart::Then::end);
  }
  logs_.flush();
  report_length();
  Outcome ended = outcome();
  if (ended.kind != Outcome::Kind::complete) ended.failure = failure_;
  ended.figures = meter_.so_far();
  return ended;
}

Outcome Request::outcome() const noexcept {
  switch (writer_.state()) {
    case State::ended:
    case State::stopped:
      return {Outcome::Kind::complete};
    case State::open:
      return {Outcome::Kind::broken};
    case State::unsent:
      break;
  }
  return {Outcome::Kind::refused, failed() ? failed_status_.load() : gateway::kInternalServerError};
}

gateway::RunFigures Request::complete_log() noexcept {
  logs_.flush();
  if (writer_.body_complete()) report_length();
  return meter_.so_far();
}

void Request::report_length() noexcept {
  if (std::exchange(length_reported_, true)) return;
  base::if_memory_allows([this] { log_length(); });
}

void Request::log_length() {
  if (writer_.bytes_owed() != 0) {
    exchange_.log(base::LogLevel::error, base::Message::response_short,
                  fmt::format("{} sent {} bytes less than its Content-Length", target_.script,
                              writer_.bytes_owed()));
  }
  if (writer_.bytes_excess() != 0) {
    exchange_.log(
        base::LogLevel::warn, base::Message::response_long,
        fmt::format("{} sent at least {} bytes more than its Content-Length; they were dropped",
                    target_.script, writer_.bytes_excess()));
  }
}

}  // namespace pyhost::wsgi
