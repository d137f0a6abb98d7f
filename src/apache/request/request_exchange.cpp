#include "apache/request/request_exchange.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "apache/log.h"
#include "apache/log_levels.h"
#include "apache/pool.h"
#include "apache/request/annotations.h"
#include "apache/request/client_connection.h"
#include "apache/request/reply_file.h"
#include "apache/request/response_head.h"
#include "apache/websocket/switching.h"
#include "settings/settings.h"

namespace pyhost::apache {

using gateway::BodyFault;
using gateway::BodyRead;
using gateway::Buffering;
using gateway::ClientSocket;
using gateway::ClientState;
using gateway::ReplyPart;
using gateway::SendResult;

namespace {

// What httpd's filters read of a client at a time. Where more is asked for, the core maps memory
// for some of its buckets, and unmaps it behind them.
constexpr std::size_t kAskBytes = 8192;

std::string error_text(apr_status_t status) {
  char text[128];
  return apr_strerror(status, text, sizeof text);
}

// Some filters do not mark the connection.
bool is_loss_of_client(apr_status_t status) noexcept {
  return APR_STATUS_IS_ECONNABORTED(status) || APR_STATUS_IS_ECONNRESET(status);
}

// Where an orderly end would make the reply look complete: with HTTP/1.0 and without a length, or
// when its end has been passed on already.
void reset_connection(conn_rec* c) {
  const ClientSocket client = socket_of(c);
  if (!client.can_be_watched()) return;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  c->aborted = 1;
}

// A client that waits for "100 Continue" is only to get it when the application reads, unless the
// length of its body cannot be known before. In httpd itself only what filters change is received.
Buffering buffering_for(const request_rec* r, const EnvironInputs& inputs) {
  const bool may_wait = inputs.group == nullptr ? is_body_filtered(r)
                                                : r->expecting_100 == 0 || !is_body_as_announced(r);
  return may_wait && *inputs.settings->request_buffering ? Buffering::on : Buffering::off;
}

}  // namespace

RequestExchange::RequestExchange(request_rec* r, const EnvironInputs& inputs,
                                 scoreboard::RunningMark& mark)
    : r_(r),
      inputs_(inputs),
      mark_(mark),
      head_(build_request_head(r, inputs)),
      buffering_(buffering_for(r, inputs)),
      output_(apr_brigade_create(r->pool, r->connection->bucket_alloc)) {}

void RequestExchange::note_worker(const gateway::ServingWorker& worker) noexcept {
  ClientExchange::note_worker(worker);
  mark_.note_worker(worker.slot, worker.pid);
}

bool RequestExchange::wants(base::LogLevel level) const noexcept {
  return keeps(r_, level);
}

void RequestExchange::log(base::LogLevel level, base::Message message,
                          std::string_view text) noexcept {
  log_request(r_, level, message, text, source());
}

void RequestExchange::log_application(const base::ApplicationRecord& record) noexcept {
  log_request(r_, record, source());
}

// What is logged while a worker has the request is, as a rule, from there.
RecordSource RequestExchange::source() const noexcept {
  if (inputs_.group == nullptr) return {};
  return {.process_group = inputs_.group->options.name, .pid = worker().pid};
}

// --- The body ------------------------------------------------------------------------------------

// Once a reply has begun, httpd leaves its status alone.
bool RequestExchange::exceeds_limit() const {
  const apr_off_t limit = ap_get_limit_req_body(r_);
  apr_off_t more = 0;
  apr_brigade_length(input_, 0, &more);
  return limit > 0 && body_bytes_ + more > limit;
}

BodyFault RequestExchange::fault_of(apr_status_t status) const {
  if (status == AP_FILTER_ERROR) {
    const bool too_large = r_->status == HTTP_REQUEST_ENTITY_TOO_LARGE || exceeds_limit();
    return too_large ? BodyFault::too_large : BodyFault::malformed;
  }
  // What is wrong with trailers, httpd has only noted.
  if (status == APR_EINVAL && ap_is_HTTP_CLIENT_ERROR(r_->status)) {
    return r_->status == HTTP_REQUEST_TIME_OUT ? BodyFault::too_slow : BodyFault::malformed;
  }
  if (APR_STATUS_IS_TIMEUP(status)) return BodyFault::too_slow;
  if (APR_STATUS_IS_ENOSPC(status)) return BodyFault::too_large;
  const bool gone = APR_STATUS_IS_EOF(status) || APR_STATUS_IS_ECONNRESET(status) ||
                    APR_STATUS_IS_ECONNABORTED(status) || APR_STATUS_IS_INCOMPLETE(status) ||
                    r_->connection->aborted;
  return gone ? BodyFault::client_gone : BodyFault::failed;
}

// httpd's own filter has passed an error page on, which need not wait for an application that goes
// on. Behind a reply that has begun, all of it but its end was dropped.
void RequestExchange::settle_page() {
  const Answerer before = answerer_.exchange(Answerer::httpd);
  if (before == Answerer::application || before == Answerer::nobody_more) {
    reset_connection(r_->connection);
  } else {
    ap_flush_conn(r_->connection);
  }
}

BodyRead RequestExchange::fail_body(apr_status_t status) {
  fault_ = fault_of(status);
  if (status == AP_FILTER_ERROR) settle_page();
  // Where the next request would begin is not known.
  r_->connection->keepalive = AP_CONN_CLOSE;
  apr_brigade_cleanup(input_);
  return {.bytes = 0, .fault = fault_};
}

// Where the client's word does not hold, neither do other headers: mod_deflate takes those away
// that are about what it has undone.
void RequestExchange::note_received_body(std::uint64_t bytes) {
  if (!head_.content_length) head_ = build_request_head(r_, inputs_, bytes);
}

std::optional<BodyRead> RequestExchange::read(std::span<char> into, apr_read_type_e how) noexcept {
  const bool waits = how == APR_BLOCK_READ;
  if (fault_ != BodyFault::none) return BodyRead{.bytes = 0, .fault = fault_};
  if (input_ == nullptr) input_ = apr_brigade_create(r_->pool, r_->connection->bucket_alloc);
  std::size_t bytes = 0;
  while (bytes == 0 && !body_ended_ && !into.empty()) {
    if (APR_BRIGADE_EMPTY(input_)) {
      const bool answered = r_->eos_sent;
      const auto status = ap_get_brigade(r_->input_filters, input_, AP_MODE_READBYTES, how,
                                         static_cast<apr_off_t>(std::min(into.size(), kAskBytes)));
      const bool is_empty = status == APR_SUCCESS && APR_BRIGADE_EMPTY(input_);
      if (!waits && (APR_STATUS_IS_EAGAIN(status) || is_empty)) return std::nullopt;
      if (status != APR_SUCCESS) return fail_body(status);
      // What is wrong with a body, httpd only tells the client once a reply has begun.
      if (r_->eos_sent && !answered) return fail_body(AP_FILTER_ERROR);
    }
    while (bytes < into.size() && !APR_BRIGADE_EMPTY(input_)) {
      apr_bucket* bucket = APR_BRIGADE_FIRST(input_);
      const char* data = nullptr;
      apr_size_t length = 0;
      if (APR_BUCKET_IS_EOS(bucket)) body_ended_ = true;
      const auto status = apr_bucket_read(bucket, &data, &length, how);
      if (!waits && APR_STATUS_IS_EAGAIN(status)) {
        if (bytes == 0) return std::nullopt;
        break;
      }
      if (status != APR_SUCCESS) return fail_body(status);
      const std::size_t taken = std::min<std::size_t>(length, into.size() - bytes);
      std::copy_n(data, taken, into.data() + bytes);  // data may be null for a bucket without any
      bytes += taken;
      if (taken < length) apr_bucket_split(bucket, taken);
      apr_bucket_delete(bucket);
    }
  }
  body_bytes_ += static_cast<apr_off_t>(bytes);
  if (!APR_BRIGADE_EMPTY(input_) && APR_BUCKET_IS_EOS(APR_BRIGADE_FIRST(input_))) {
    body_ended_ = true;
  }
  return BodyRead{.bytes = bytes};
}

// --- The reply -----------------------------------------------------------------------------------

bool RequestExchange::append_file(const gateway::FileRange& range) {
  ReplyFile* file =
      ReplyFile::open(r_, range, inputs_.target->script, *inputs_.settings->enable_sendfile);
  if (file == nullptr) return false;
  APR_BRIGADE_INSERT_TAIL(output_, file->make_bucket(output_->bucket_alloc));
  body_bytes_sent_ += range.length;
  file_ = file;
  return true;
}

// Who answers a request for which the application has such a head.
RequestExchange::Answerer RequestExchange::answerer_for(const gateway::ResponseHead& head) {
  if (*inputs_.settings->error_override && ap_is_HTTP_ERROR(head.status)) {
    overriding_status_ = head.status;
    set_challenge(r_, head);
    return Answerer::error_page;
  }
  if (*inputs_.settings->internal_redirect && head.status == HTTP_OK) {
    redirect_to_ = local_location(r_->pool, head);
    if (redirect_to_ != nullptr) return Answerer::redirect;
  }
  return Answerer::application;
}

SendResult RequestExchange::send(const ReplyPart& part) noexcept {
  if (superseded()) return SendResult::superseded;
  if (answerer_ == Answerer::nobody_more) return SendResult::client_gone;
  // Of a client that has left, the system would take some more. What is complete is sent to one
  // that has only closed its own side.
  const bool goes_on = part.head == nullptr && part.then == ReplyPart::Then::pause;
  if (goes_on && client_gone()) return SendResult::client_gone;
  if (part.head != nullptr) {
    annotate(r_, part.head->annotations);
    answerer_ = answerer_for(*part.head);
    if (superseded()) return SendResult::superseded;
    set_response_head(r_, *part.head);
    settle_ranges(r_, part);
  }
  auto* allocator = r_->connection->bucket_alloc;
  for (const std::string_view block : part.blocks) {
    APR_BRIGADE_INSERT_TAIL(output_,
                            apr_bucket_transient_create(block.data(), block.size(), allocator));
    body_bytes_sent_ += block.size();
  }
  if (part.file != nullptr && part.file->length > 0 && !append_file(*part.file)) {
    return fail_output("the file of the reply cannot be opened once more", errno);
  }
  if (part.then == ReplyPart::Then::pause) {
    APR_BRIGADE_INSERT_TAIL(output_, apr_bucket_flush_create(allocator));
  }
  if (part.then == ReplyPart::Then::end) {
    set_trailers(r_, part.trailers);
    APR_BRIGADE_INSERT_TAIL(output_, apr_bucket_eos_create(allocator));
  }
  return pass();
}

void RequestExchange::send_early_hints(std::span<const gateway::Header> headers) noexcept {
  if (answerer_ == Answerer::nobody && !client_gone()) apache::send_early_hints(r_, headers);
}

SendResult RequestExchange::switch_protocols(const gateway::ResponseHead& head) noexcept {
  if (superseded()) return SendResult::superseded;
  if (client_gone()) return SendResult::client_gone;
  annotate(r_, head.annotations);
  answerer_ = Answerer::application;
  switch_to_web_socket(r_, head);
  return r_->connection->aborted ? SendResult::client_gone : SendResult::sent;
}

SendResult RequestExchange::pass() {
  const auto began = base::Clock::now();
  const auto status = ap_pass_brigade(r_->output_filters, output_);
  apr_brigade_cleanup(output_);
  times().writing += base::Clock::now() - began;
  // Once the head is out, "100 Continue" would end up in the middle of the body.
  if (r_->sent_bodyct) r_->expecting_100 = 0;
  if (r_->connection->aborted) return SendResult::client_gone;
  const bool file_failed = file_ != nullptr && file_->has_failed();
  if (status == APR_SUCCESS && !file_failed) return SendResult::sent;
  if (status == AP_FILTER_ERROR) answerer_ = Answerer::httpd;
  if (file_failed) return stop_output();
  // httpd has answered with a page of its own: what the client has asked for cannot be sent.
  if (superseded() && ap_is_HTTP_CLIENT_ERROR(r_->status)) return SendResult::superseded;
  if (is_loss_of_client(status)) return stop_output();
  return fail_output("httpd's output filters failed", status);
}

SendResult RequestExchange::fail_output(std::string_view what, apr_status_t status) {
  log(base::LogLevel::error, base::Message::reply_refused,
      fmt::format("{}: {}", what, error_text(status)));
  return stop_output();
}

SendResult RequestExchange::stop_output() {
  if (!superseded()) answerer_ = Answerer::nobody_more;
  apr_brigade_cleanup(output_);
  return SendResult::client_gone;
}

// --- The client ----------------------------------------------------------------------------------

ClientSocket RequestExchange::client_socket() const noexcept {
  const ClientSocket socket = socket_of(r_->connection);
  if (!superseded() || !socket.can_be_watched()) return socket;
  return {.kind = ClientSocket::Kind::answered};
}

// A stream that its client resets is marked as aborted by mod_http2.
ClientState RequestExchange::client_state() noexcept {
  // Whoever leaves behind httpd's own answer has had it, or is about to.
  if (superseded()) return ClientState::ready;
  conn_rec* c = r_->connection;
  // The end of the client's side may be the end of a body that was not read yet.
  const bool may_close = !body_ended_ && fault_ == BodyFault::none && head_.content_length != 0;
  const short events = may_close ? POLLOUT : POLLOUT | POLLRDHUP;
  const ClientSocket socket = socket_of(c);
  pollfd client{.fd = socket.fd, .events = events, .revents = 0};
  if (!c->aborted && socket.can_be_watched()) {
    poll(&client, 1, 0);
    // httpd then sends nothing more, so that nobody takes what is there for a complete reply.
    if ((client.revents & ~POLLOUT) != 0) c->aborted = 1;
  }
  // httpd closes the connections of a child that is told to stop at once.
  if (socket.kind == ClientSocket::Kind::closed) c->aborted = 1;
  if (c->aborted) return ClientState::gone;
  if (!socket.can_be_watched()) return ClientState::ready;
  if ((client.revents & POLLOUT) != 0 && c->data_in_output_filters) write_what_is_left(c);
  const bool behind = (client.revents & POLLOUT) == 0 || c->data_in_output_filters;
  return behind ? ClientState::behind : ClientState::ready;
}

// --- The end -------------------------------------------------------------------------------------

// What mod_proxy does when a backend breaks: the chunk filter leaves the last chunk out, mod_http2
// resets the stream, and the connection is closed.
int RequestExchange::break_off() {
  request_rec* main = main_request(r_);
  // httpd would wait for a client that does not read.
  if (client_state() == ClientState::behind) r_->connection->aborted = 1;
  main->no_cache = 1;
  r_->no_cache = 1;
  auto* allocator = r_->connection->bucket_alloc;
  APR_BRIGADE_INSERT_TAIL(output_,
                          ap_bucket_error_create(HTTP_BAD_GATEWAY, nullptr, r_->pool, allocator));
  APR_BRIGADE_INSERT_TAIL(output_, apr_bucket_eos_create(allocator));
  ap_pass_brigade(r_->output_filters, output_);
  apr_brigade_cleanup(output_);
  const bool has_length = apr_table_get(main->headers_out, "Content-Length") != nullptr;
  if (r_->proto_num < HTTP_VERSION(1, 1) && !has_length) reset_connection(r_->connection);
  return OK;
}

// As for a CGI script: the new request is a GET without a body, whatever the first one was.
int RequestExchange::redirect() {
  if (const int status = ap_discard_request_body(r_); status != OK) return status;
  r_->method = "GET";
  r_->method_number = M_GET;
  apr_table_unset(r_->headers_in, "Content-Length");
  ap_internal_redirect_handler(redirect_to_, r_);
  return OK;
}

int RequestExchange::finish(const gateway::Outcome& outcome) {
  switch (answerer_) {
    case Answerer::nobody:
    case Answerer::application:
      return conclude(outcome);
    case Answerer::nobody_more:
      return r_->sent_bodyct ? break_off() : HTTP_INTERNAL_SERVER_ERROR;
    case Answerer::error_page:
      return overriding_status_;
    case Answerer::redirect:
      return redirect();
    case Answerer::httpd:
      break;
  }
  // httpd sends a page of its own for this only if it has not sent one yet.
  return AP_FILTER_ERROR;
}

gateway::FailureCause RequestExchange::failure(const gateway::Outcome& outcome) const noexcept {
  using gateway::FailureCause;
  if (outcome.failure != FailureCause::none) return outcome.failure;
  if (fault_ != BodyFault::none && fault_ != BodyFault::failed) return FailureCause::upload;
  if (r_->connection->aborted) {
    return r_->sent_bodyct ? FailureCause::reply : FailureCause::application;
  }
  return answerer_ == Answerer::nobody_more ? FailureCause::output_failed : FailureCause::none;
}

// What the run came to is the reply.
int RequestExchange::conclude(const gateway::Outcome& outcome) {
  switch (outcome.kind) {
    case gateway::Outcome::Kind::complete:
      return OK;
    case gateway::Outcome::Kind::refused:
      if (outcome.retry_after_seconds != 0) {
        apr_table_setn(r_->err_headers_out, "Retry-After",
                       apr_itoa(r_->pool, static_cast<int>(outcome.retry_after_seconds)));
      }
      return outcome.status;
    case gateway::Outcome::Kind::broken:
    case gateway::Outcome::Kind::outdated:  // does not come here: embedded scripts are re-imported
      break;
  }
  return break_off();
}

}  // namespace pyhost::apache
