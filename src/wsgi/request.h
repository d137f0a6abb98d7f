// One request while an application serves it: the C++ side that its Python objects share.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/gateway/engine.h"
#include "pyhost/gateway/exchange.h"
#include "pyhost/gateway/target.h"
#include "python/attached.h"
#include "python/output_logs.h"
#include "python/ref.h"
#include "python/request_link.h"
#include "python/request_meter.h"
#include "python/request_observer.h"
#include "python/served_request.h"
#include "wsgi/block_pusher.h"
#include "wsgi/kept_blocks.h"
#include "wsgi/reply_writer.h"
#include "wsgi/run_meter.h"
#include "wsgi/started_response.h"

namespace pyhost::wsgi {

// Lives on the stack of the thread that serves the request, longer than the attachment: what is
// complete at once is sent by finish(), when Python no longer needs to be held. The application may
// use wsgi.input, write() and start_response() from other threads; the exchange still sees one
// thread at a time.
class Request final : public python::ServedRequest, private BlockPusher::Source {
 public:
  // All of it outlives the request.
  Request(const gateway::Target& target, gateway::Exchange& exchange,
          const gateway::Logging& levels, BlockPusher& pusher)
      : target_(target),
        exchange_(exchange),
        logs_(exchange, levels),
        writer_(exchange, [this] { return complete_log(); }),
        kept_(pusher, *this),
        link_(std::make_shared<python::RequestLink>()) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  const gateway::Target& target() const noexcept { return target_; }
  gateway::Exchange& exchange() noexcept { return exchange_; }
  python::OutputLogs& logs() noexcept { return logs_; }
  const python::SharedRequestLink& link() const noexcept { return link_; }
  RunMeter& meter() noexcept { return meter_; }

  // Before the application is called, by whoever wants to know what it takes; a second call changes
  // nothing.
  python::RequestMeter& measure() noexcept;
  // Null when nobody wants to know.
  python::RequestMeter* full_meter_or_null() noexcept {
    return full_meter_ ? &*full_meter_ : nullptr;
  }
  // Of the thread that serves the request, when it has the interpreter.
  void note_interpreter_wait(base::Clock::duration wait) noexcept;

  // --- Attached: the interpreter's lock protects what these change ---

  bool started() const noexcept { return started_; }
  const StartedResponse& response() const noexcept { return response_; }
  // Replaces an earlier head. PRECONDITION: not committed().
  void start(StartedResponse response);
  // The head is on its way and cannot be replaced any more; before every detached send. What the
  // application has told httpd goes with it, and whom it has put into its environ as REMOTE_USER.
  void commit();
  bool committed() const noexcept override { return committed_; }
  // Commits, and keeps a copy of the complete body; finish() sends it.
  void hold(std::span<const std::string_view> blocks);
  // Whether more of the body could still reach the client: not when there is to be none, and not
  // beyond Content-Length. Behind the first send().
  bool wants_more() const noexcept { return wants_more_; }
  void set_content_length(std::uint64_t length) noexcept { response_.set_content_length(length); }

  // Where the application may change REMOTE_USER, which is `key`, until the head leaves. Let go
  // with forget_environ() while attached.
  void keep_environ(python::Ref environ, PyObject* key) noexcept;
  void forget_environ() noexcept { environ_.reset(); }
  python::RequestNotes& notes() noexcept override { return notes_; }
  const gateway::RequestHead& head() const noexcept override { return exchange_.head(); }
  python::RequestData& data() noexcept override { return data_; }

  // Has it told from here on; it outlives the request.
  void be_observed_by(python::RequestObserver& observer) noexcept;
  bool observed() const noexcept { return observer_ != nullptr; }
  // What is told to the observer, if there is one. Gives what is to be called in the application's
  // place, or null.
  python::Ref tell_start(python::Attached& py, PyObject* application, PyObject* environ) noexcept {
    if (!observed()) return {};
    return observer_->request_starts(py, sketch(), application, environ);
  }
  void tell_response(python::Attached& py, PyObject* status, PyObject* headers,
                     PyObject* exc_info_or_null) noexcept {
    if (observed()) observer_->response_starts(py, sketch(), status, headers, exc_info_or_null);
  }
  void tell_failure(python::Attached& py, const python::PythonError& error) noexcept {
    if (observed()) observer_->application_raised(py, sketch(), error);
  }
  void tell_end(python::Attached& py) noexcept {
    if (observed()) observer_->request_ends(py, sketch());
  }

  // Takes a copy of a block that comes soon behind another, to be sent in a moment. False when it
  // is to be given to send().
  bool keep(std::string_view block) noexcept;

  // The application failed: without a head the client gets `status`, or what it did to the request
  // body; otherwise a broken reply.
  void fail(int status, gateway::FailureCause cause) noexcept;

  // The client's fault that the application met in wsgi.input, if any.
  gateway::BodyFault body_fault() const noexcept { return fault_; }
  bool failed() const noexcept { return failed_status_ != 0; }

  // --- Detached; may block ---

  gateway::BodyRead read_body(std::span<char> into) noexcept;
  void log(base::LogLevel level, std::string_view text) noexcept override {
    logs_.sink().log_application({.level = level, .text = text});
  }
  // A record of the request's log.
  void note(base::LogLevel level, base::Message message, std::string_view text) noexcept;
  // False when the client has gone or nothing may be sent any more. PRECONDITION: started() and
  // committed().
  bool send(std::span<const std::string_view> blocks, gateway::ReplyPart::Then then) noexcept;
  bool send_file(gateway::FileRange range) noexcept;
  bool client_gone() noexcept override;
  void send_early_hints(std::span<const gateway::Header> headers) noexcept override;

  // Sends what is held, waits for other threads that still use the request, and says how it ended.
  gateway::Outcome finish() noexcept;

 private:
  python::ObservedRequest sketch() noexcept;
  bool push() noexcept override;
  bool send_locked(std::span<const std::string_view> blocks, gateway::ReplyPart::Then then);
  void send_kept_locked() noexcept;
  void note_sent_locked() noexcept;
  void count_joined(std::span<const std::string_view> blocks) noexcept;
  void note_user();
  bool gives_way_to_fault() noexcept;
  gateway::RunFigures complete_log() noexcept;
  gateway::Outcome outcome() const noexcept;
  void report_length() noexcept;
  void log_length();
  bool give_up() noexcept;

  const gateway::Target& target_;
  gateway::Exchange& exchange_;
  python::OutputLogs logs_;
  RunMeter meter_;
  std::mutex mutex_;  // held around every use of exchange_ and writer_
  ReplyWriter writer_;
  KeptBlocks kept_;
  std::string leaving_;  // what was kept; under mutex_
  std::vector<std::string_view> leaving_blocks_;
  std::atomic<bool> wants_more_ = true;
  bool length_reported_ = false;
  StartedResponse response_;
  bool started_ = false;
  bool committed_ = false;
  bool holding_ = false;
  std::string held_;
  python::RequestNotes notes_;
  python::RequestData data_;
  python::RequestObserver* observer_ = nullptr;
  std::optional<python::RequestMeter> full_meter_;
  python::Ref environ_;
  PyObject* user_key_ = nullptr;  // the environ factory's
  // Set by the threads of the application; whoever pushes blocks looks at them, and gives up where
  // there is no memory.
  std::atomic<gateway::BodyFault> fault_ = gateway::BodyFault::none;
  std::atomic<int> failed_status_ = 0;
  std::atomic<gateway::FailureCause> failure_ = gateway::FailureCause::reply_invalid;
  const python::SharedRequestLink link_;
};

}  // namespace pyhost::wsgi
