// One attempt to have a request served over one connection.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "pyhost/base/messages.h"
#include "pyhost/gateway/client_exchange.h"
#include "remote/connection_pool.h"
#include "remote/delivery.h"
#include "remote/read_watch.h"
#include "remote/reply_rules.h"
#include "remote/request_body.h"
#include "remote/setback.h"
#include "remote/worker_records.h"
#include "wire/messages.h"

namespace pyhost::remote {

// How an attempt ended.
struct Attempt {
  enum class Kind {
    complete,     // the worker has done its part; with `why` if it has done more than that
    switched,     // the reply is the stream of a WebSocket, and the client knows
    taken_over,   // the exchange takes no more: the client has gone, or httpd answers itself
    client_gone,  // or does not take the reply, or has spoilt its body
    refused,      // the worker asks for an answer with `status`; its own records say why
    broken,       // the worker cannot complete a reply that has begun; its own records say why
    not_run,      // by this worker, because of `setback`: another one may
    lost,         // the worker has gone
    failed,       // anything else; answer with `status`
  };
  Kind kind = Kind::complete;
  int status = 0;
  base::Message message{};
  std::string why;
  Setback::Kind setback{};
  // Where the worker has said that the run is over; these two are believed as far as may be.
  gateway::FailureCause failure = gateway::FailureCause::none;
  gateway::RunFigures figures = {};
};

// Passes on what the worker sends as it comes; parts that came together leave together. Everything
// it is made with outlives it, but for the line: see frees_line().
class Relay {
 public:
  Relay(Admission& admission, PooledConnection& pooled, gateway::ClientExchange& exchange,
        RequestBody& body, const RemoteSettings& settings) noexcept
      : admission_(admission),
        pooled_(pooled),
        exchange_(exchange),
        body_(body),
        settings_(settings),
        delivery_(exchange, settings),
        rules_(exchange.head().is_head),
        read_watch_(admission, pooled),
        records_(exchange, settings, pooled.worker) {}

  // Until the worker has done its part, or nobody wants it to. The request waits for a worker since
  // `queue_start_us`.
  Attempt run(const gateway::Target& target, Resort resort, std::int64_t queue_start_us);

  // After Kind::complete: whether deliver() does without the pooled.
  bool frees_line() { return delivery_.stands_alone(); }
  // After Kind::complete, once: gives the client the rest of its reply.
  Attempt deliver();

  // Whether the client has seen a part of the reply.
  bool head_sent() const noexcept { return delivery_.head_sent(); }
  std::uint64_t body_bytes_sent() const noexcept { return body_bytes_sent_; }
  // Whether the worker itself has logged what went wrong.
  bool failure_told() const noexcept { return records_.failure_told(); }
  // How many lines of its log were left out.
  std::uint64_t lines_left_out() const noexcept { return records_.lines_left_out(); }
  // When the worker was sent the request.
  base::TimePoint sent_at() const noexcept { return read_watch_.began(); }
  // Whether the connection may serve another exchange.
  bool reusable() const noexcept {
    return reusable_ && !feeding_since_ && !read_watch_.cancelled() && pooled_.connection.drained();
  }

 private:
  using Step = std::optional<Attempt>;  // nothing: go on

  Attempt relay(const gateway::Target& target, Resort resort, std::int64_t queue_start_us);
  Step send_request(const gateway::Target& target, Resort resort, std::int64_t queue_start_us);
  Step write_request();
  Step take_frames();
  Step handle(const wire::Frame& frame);
  Attempt send_back(const wire::Frame& frame);
  Step begin_reply(const wire::Frame& frame);
  Step switch_protocols(const gateway::ResponseHead& head);
  std::optional<Attempt> fault_of_lines(const gateway::ResponseHead& head) const;
  Step take_early_hints(const wire::Frame& frame);
  Step take_body(std::string_view bytes);
  Step take_file(const wire::Frame& frame);
  Step take_trailers(const wire::Frame& frame);
  Step end_when_exceeded();
  Step end_reply(const wire::Frame& frame);
  Step settle_file();
  Step answer_need_body();
  Step begin_feeding();
  Step feed();
  Step send_piece(const RequestBody::Piece& piece);
  std::optional<base::TimePoint> body_due() const noexcept;
  Step receive_first();
  Step receive();
  Step wait(std::optional<base::Clock::time_point> give_up_at);
  Step settle();
  Step stop_unless_on(Passed passed);
  void abort();
  Attempt stop(Passed passed);
  Attempt outcome_of(Passed passed) const;
  Attempt end_with_error(const wire::Frame& frame);
  Attempt attempt_for(const wire::ErrorMessage& error);
  Attempt fail(wire::Io outcome);
  Attempt malformed(std::string what);
  Attempt forbidden(const base::Error& error);
  static Attempt not_run(Setback::Kind setback, std::string why);
  wire::Timeout timeout() const noexcept;
  gateway::RunFigures believed(const gateway::RunFigures& figures) const noexcept;

  Admission& admission_;
  PooledConnection& pooled_;
  gateway::ClientExchange& exchange_;
  RequestBody& body_;
  const RemoteSettings& settings_;
  Delivery delivery_;
  ReplyRules rules_;
  ReadWatch read_watch_;  // of the request
  WorkerRecords records_;
  bool heard_ = false;
  bool head_seen_ = false;
  bool trailers_seen_ = false;
  unsigned early_hints_ = 0;  // that were passed on
  bool reusable_ = false;
  // The worker wants a piece of the body, and nothing of it was here yet.
  std::optional<base::TimePoint> feeding_since_;
  std::uint64_t body_bytes_sent_ = 0;
};

}  // namespace pyhost::remote
