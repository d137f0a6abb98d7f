// An error log of httpd's that perhaps nobody reads.
#pragma once

#include <deque>
#include <string>

#include "base/file_log.h"
#include "os/event_loop.h"

namespace pyhost::supervisor {

// What the log does not take at once waits here, and is written when it does; whoever logs never
// waits. Beyond kWaitingBytesMax records are lost, which the log is told when it takes them again.
// Single-threaded, in the thread of the loop, which outlives it.
class QueuedLog final : public base::LogSink {
 public:
  static constexpr std::size_t kWaitingBytesMax = 256u << 10;

  QueuedLog(os::EventLoop& loop, base::UniqueFd file, base::LogRules rules);
  QueuedLog(const QueuedLog&) = delete;
  QueuedLog& operator=(const QueuedLog&) = delete;
  // What the log does not take now is lost.
  ~QueuedLog() override;

  bool wants(base::LogLevel level) const noexcept override { return level <= rules_.level; }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;

  // From here on records go to that file.
  void reopen(base::UniqueFd file) noexcept;
  void set_rules(base::LogRules rules) noexcept { rules_ = std::move(rules); }
  // As httpd has opened it.
  int fd() const noexcept { return file_.get(); }

 private:
  int target() const noexcept { return own_.valid() ? own_.get() : file_.get(); }
  void open_own() noexcept;
  // How much of the text was taken.
  std::size_t put(std::string_view text) noexcept;
  void add(std::string record);
  void drain();
  void stop_waiting() noexcept;

  os::EventLoop& loop_;
  // Its open file description is httpd's too, so it stays blocking.
  base::UniqueFd file_;
  // The same pipe or terminal, opened once more without blocking; not valid when it could not be,
  // and for other kinds of files.
  base::UniqueFd own_;
  enum class Kind { file, socket, pipe } kind_ = Kind::file;
  base::LogRules rules_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  unsigned lost_ = 0;  // records, since the log was last told
  bool watched_ = false;
};

}  // namespace pyhost::supervisor
