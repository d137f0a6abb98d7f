// gateway::ClientExchange over httpd's request_rec.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "apache/httpd_api.h"
#include "apache/log.h"
#include "apache/request/environ_builder.h"
#include "pyhost/gateway/client_exchange.h"
#include "scoreboard/request_cell.h"

namespace pyhost::apache {

class ReplyFile;

// One thread at a time: the handler's, and then whoever has the stream of a WebSocket. Reads the
// body through httpd's input filters, sends the reply through its output filters.
class RequestExchange final : public gateway::ClientExchange {
 public:
  // All of it outlives the exchange. The mark is told which worker has the request.
  RequestExchange(request_rec* r, const EnvironInputs& inputs, scoreboard::RunningMark& mark);

  const gateway::RequestHead& head() const noexcept override { return head_; }
  gateway::BodyRead read_body(std::span<char> into) noexcept override {
    return *read(into, APR_BLOCK_READ);
  }
  std::optional<gateway::BodyRead> read_body_now(std::span<char> into) noexcept override {
    return read(into, APR_NONBLOCK_READ);
  }
  gateway::SendResult send(const gateway::ReplyPart& part) noexcept override;
  gateway::SendResult switch_protocols(const gateway::ResponseHead& head) noexcept override;
  void send_early_hints(std::span<const gateway::Header> headers) noexcept override;

  gateway::Buffering buffering() const noexcept override { return buffering_; }
  void note_received_body(std::uint64_t bytes) override;
  void note_worker(const gateway::ServingWorker& worker) noexcept override;
  gateway::ClientSocket client_socket() const noexcept override;
  gateway::ClientState client_state() noexcept override;

  bool wants(base::LogLevel level) const noexcept override;
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;
  void log_application(const base::ApplicationRecord& record) noexcept override;

  // Makes the client see what became of the reply, and returns what the handler must.
  int finish(const gateway::Outcome& outcome);
  // Behind that: why the client has not had the application's complete reply, if it has not.
  gateway::FailureCause failure(const gateway::Outcome& outcome) const noexcept;
  // So far, of the bodies of the request and of the application's reply.
  std::uint64_t body_bytes_read() const noexcept { return static_cast<std::uint64_t>(body_bytes_); }
  std::uint64_t body_bytes_sent() const noexcept { return body_bytes_sent_; }

 private:
  // Who answers the request.
  enum class Answerer {
    nobody,       // yet; or whoever the outcome of the run names
    application,  // its head has been passed on
    nobody_more,  // what the application has begun cannot be completed
    error_page,   // httpd's, for the application's status, once the application has ended
    redirect,     // the request that the application has named, then
    httpd,        // its filters have answered already
  };

  // What the application sends from here on is dropped.
  bool superseded() const noexcept { return answerer_ > Answerer::nobody_more; }
  RecordSource source() const noexcept;
  bool exceeds_limit() const;
  gateway::BodyFault fault_of(apr_status_t status) const;
  // Nothing where that would wait, which a blocking read does instead.
  std::optional<gateway::BodyRead> read(std::span<char> into, apr_read_type_e how) noexcept;
  gateway::BodyRead fail_body(apr_status_t status);
  void settle_page();
  bool append_file(const gateway::FileRange& range);
  Answerer answerer_for(const gateway::ResponseHead& head);
  int conclude(const gateway::Outcome& outcome);
  int redirect();
  gateway::SendResult pass();
  gateway::SendResult fail_output(std::string_view what, apr_status_t status);
  gateway::SendResult stop_output();
  int break_off();

  request_rec* r_;
  const EnvironInputs& inputs_;
  scoreboard::RunningMark& mark_;
  gateway::RequestHead head_;
  const gateway::Buffering buffering_;
  apr_bucket_brigade* input_ = nullptr;
  apr_bucket_brigade* output_;
  const ReplyFile* file_ = nullptr;  // the last one of the reply
  gateway::BodyFault fault_ = gateway::BodyFault::none;
  apr_off_t body_bytes_ = 0;  // read
  std::uint64_t body_bytes_sent_ = 0;
  bool body_ended_ = false;
  std::atomic<Answerer> answerer_ = Answerer::nobody;  // read from outside by client_socket()
  int overriding_status_ = 0;                          // of Answerer::error_page
  const char* redirect_to_ = nullptr;                  // of Answerer::redirect
};

}  // namespace pyhost::apache
