// An exchange without a server: engine tests script the request and look at the reply.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <latch>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/log_recorder.h"
#include "pyhost/gateway/client_exchange.h"

namespace pyhost::test {

// One answer to read_body(): bytes, or the fault that ends the body.
struct BodyStep {
  std::string bytes;
  gateway::BodyFault fault = gateway::BodyFault::none;
  // So many looks that do not wait find nothing.
  int late_by = 0;
};

// What the client and httpd do. Only what a test names differs from a plain GET /.
struct FakeRequest {
  // Added to the entries of a plain "GET / HTTP/1.1" for localhost; a repeated name wins.
  std::vector<std::pair<std::string, std::string>> environ;
  std::string body;
  // Instead of `body`: one entry per read, then the end of the body, or the last fault for ever.
  std::vector<BodyStep> body_steps;
  // No Content-Length is announced.
  bool chunked = false;
  bool https = false;
  bool is_head = false;
  gateway::WebSocketOffer web_socket = gateway::WebSocketOffer::none;
  // After so many parts every further one is answered client_gone, or superseded.
  std::optional<std::size_t> client_gone_after_parts;
  std::optional<std::size_t> superseded_after_parts;
  // Waited for at the start of every read_body() or send(). Owned by the test.
  std::latch* hold_reads = nullptr;
  std::latch* hold_sends = nullptr;
  // The client's end of a connection, as RequestExchange has one; owned by the test.
  int client_socket = -1;
  gateway::Buffering buffering = gateway::Buffering::on;
  base::LogLevel log_level = base::LogLevel::trace;
};

// What one send() brought. File ranges were read at that moment.
struct SentPart {
  bool had_head = false;
  std::vector<std::string> blocks;
  std::optional<std::string> file;
  gateway::ReplyPart::Then then = gateway::ReplyPart::Then::more;

  std::string bytes() const;
};

// Keeps the promises of gateway::ClientExchange, and fails the running test when the engine breaks
// its own: a head that is not in the first part, a second head, anything after Then::end. The reply
// is looked at when the run has returned; log(), parts_sent(), bytes_sent() and body_reads() at any
// time.
class FakeExchange final : public gateway::ClientExchange {
 public:
  explicit FakeExchange(FakeRequest request = {});
  FakeExchange(const FakeExchange&) = delete;
  FakeExchange& operator=(const FakeExchange&) = delete;

  // --- The engine's side ---
  const gateway::RequestHead& head() const noexcept override { return head_; }
  gateway::BodyRead read_body(std::span<char> into) noexcept override;
  std::optional<gateway::BodyRead> read_body_now(std::span<char> into) noexcept override;
  gateway::SendResult send(const gateway::ReplyPart& part) noexcept override;
  gateway::SendResult switch_protocols(const gateway::ResponseHead& head) noexcept override;
  void send_early_hints(std::span<const gateway::Header> headers) noexcept override;
  gateway::Buffering buffering() const noexcept override { return request_.buffering; }
  void note_received_body(std::uint64_t) override {}
  gateway::ClientSocket client_socket() const noexcept override;
  gateway::ClientState client_state() noexcept override;
  bool wants(base::LogLevel level) const noexcept override { return recorder_.wants(level); }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override {
    recorder_.log(level, message, text);
  }

  void import_begins() noexcept override { importing_ = true; }
  void import_ended() noexcept override { importing_ = false; }

  // --- The test's side ---
  // Also while it runs.
  bool is_importing() const noexcept { return importing_; }
  // A client without a socket of its own goes away. From any thread.
  void leave() noexcept { left_ = true; }
  bool has_head() const noexcept { return !parts_.empty(); }
  int status() const noexcept { return status_; }  // 0 before the head
  const std::string& reason() const noexcept { return reason_; }
  const std::vector<std::pair<std::string, std::string>>& headers() const noexcept {
    return headers_;
  }
  // The first header of that name in any letter case.
  std::optional<std::string> header(std::string_view name) const;
  std::optional<std::uint64_t> content_length() const noexcept { return content_length_; }
  bool closes_connection() const noexcept { return closes_connection_; }
  // The parts the client got, without those refused as client_gone or superseded.
  const std::vector<SentPart>& parts() const noexcept { return parts_; }
  // The bytes of all parts.
  std::string body() const;
  // What was logged before the part with Then::end came, as LogRecorder::text() has it.
  const std::string& log_before_end() const noexcept { return log_before_end_; }
  // What the run had cost by then.
  const gateway::RunFigures& end_figures() const noexcept { return end_figures_; }
  // Whether a part with Then::end came.
  bool ended() const noexcept { return ended_; }
  std::size_t parts_sent() const noexcept { return parts_sent_; }
  std::size_t bytes_sent() const noexcept { return bytes_sent_; }
  std::size_t body_reads() const noexcept { return body_reads_; }
  // "Link: </a.css>; rel=preload\n" for each, in order.
  const std::string& early_hints() const noexcept { return early_hints_; }
  const std::string& trailers() const noexcept { return trailers_; }
  const LogRecorder& recorder() const noexcept { return recorder_; }

 private:
  void build_head();
  void check_order(const gateway::ReplyPart& part);
  void keep_head(const gateway::ResponseHead& head);

  const FakeRequest request_;
  std::vector<std::pair<std::string, std::string>> environ_;
  std::vector<gateway::EnvironEntry> entries_;
  gateway::RequestHead head_;
  std::deque<BodyStep> body_left_;
  gateway::BodyFault fault_ = gateway::BodyFault::none;
  LogRecorder recorder_;

  int status_ = 0;
  std::string reason_;
  std::string early_hints_;
  std::string trailers_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::optional<std::uint64_t> content_length_;
  bool closes_connection_ = false;
  std::vector<SentPart> parts_;
  bool ended_ = false;
  std::string log_before_end_;
  gateway::RunFigures end_figures_;
  std::atomic<std::size_t> parts_sent_ = 0;
  std::atomic<std::size_t> bytes_sent_ = 0;
  std::atomic<std::size_t> body_reads_ = 0;
  std::atomic<bool> left_ = false;
  std::atomic<bool> importing_ = false;
};

}  // namespace pyhost::test
