#include "harness/fake_exchange.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "base/parse.h"

namespace pyhost::test {
namespace {

using gateway::BodyFault;
using gateway::ClientState;
using gateway::ReplyPart;
using gateway::SendResult;

const std::vector<std::pair<std::string, std::string>> kPlainGet = {
    {"REQUEST_METHOD", "GET"},
    {"SCRIPT_NAME", ""},
    {"PATH_INFO", "/"},
    {"QUERY_STRING", ""},
    {"REQUEST_URI", "/"},
    {"REQUEST_SCHEME", "http"},
    {"SERVER_PROTOCOL", "HTTP/1.1"},
    {"SERVER_NAME", "localhost"},
    {"SERVER_PORT", "80"},
    {"SERVER_ADDR", "127.0.0.1"},
    {"SERVER_SOFTWARE", "Apache"},
    {"REMOTE_ADDR", "127.0.0.1"},
    {"REMOTE_PORT", "40000"},
    {"SCRIPT_FILENAME", "/nonexistent/app.wsgi"},
    {"DOCUMENT_ROOT", "/var/www/html"},
    {"HTTP_HOST", "localhost"},
};

std::string read_range(const gateway::FileRange& range) {
  std::string bytes(range.length, '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t n = pread(range.fd, bytes.data() + got, bytes.size() - got,
                            static_cast<off_t>(range.offset + got));
    if (n <= 0) {
      ADD_FAILURE() << "a file range ends after " << got << " of " << range.length << " bytes";
      break;
    }
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace

std::string SentPart::bytes() const {
  std::string all;
  for (const std::string& block : blocks) all += block;
  return all + file.value_or("");
}

FakeExchange::FakeExchange(FakeRequest request)
    : request_(std::move(request)), recorder_(request_.log_level) {
  build_head();
  body_left_.assign(request_.body_steps.begin(), request_.body_steps.end());
  if (body_left_.empty() && !request_.body.empty()) body_left_.push_back({request_.body});
}

void FakeExchange::build_head() {
  environ_ = kPlainGet;
  if (!request_.chunked && !request_.body.empty()) {
    environ_.emplace_back("CONTENT_LENGTH", std::to_string(request_.body.size()));
  }
  environ_.insert(environ_.end(), request_.environ.begin(), request_.environ.end());

  for (const auto& [name, value] : environ_) {
    entries_.push_back({gateway::find_environ_key(name), name, value});
    // A test may announce another length than it sends.
    if (name == "CONTENT_LENGTH") head_.content_length = base::parse_unsigned(value);
  }
  if (request_.chunked) head_.content_length = std::nullopt;
  head_.environ = entries_;
  head_.https = request_.https;
  head_.is_head = request_.is_head;
  head_.web_socket = request_.web_socket;
  head_.start_us = 1'700'000'000'000'000;
}

gateway::BodyRead FakeExchange::read_body(std::span<char> into) noexcept {
  ++body_reads_;
  if (request_.hold_reads != nullptr) request_.hold_reads->wait();
  if (fault_ != BodyFault::none) return {0, fault_};
  if (body_left_.empty()) return {};

  BodyStep& step = body_left_.front();
  if (step.fault != BodyFault::none) {
    fault_ = step.fault;
    return {0, fault_};
  }
  const std::size_t bytes = std::min(into.size(), step.bytes.size());
  std::copy_n(step.bytes.begin(), bytes, into.begin());
  step.bytes.erase(0, bytes);
  if (step.bytes.empty()) body_left_.pop_front();
  return {bytes, BodyFault::none};
}

std::optional<gateway::BodyRead> FakeExchange::read_body_now(std::span<char> into) noexcept {
  if (!body_left_.empty() && body_left_.front().late_by-- > 0) return std::nullopt;
  return read_body(into);
}

SendResult FakeExchange::send(const ReplyPart& part) noexcept {
  if (request_.hold_sends != nullptr) request_.hold_sends->wait();
  if (request_.client_gone_after_parts && parts_sent_ >= *request_.client_gone_after_parts) {
    return SendResult::client_gone;
  }
  if (request_.superseded_after_parts && parts_sent_ >= *request_.superseded_after_parts) {
    return SendResult::superseded;
  }
  check_order(part);
  if (part.head != nullptr) keep_head(*part.head);

  SentPart sent{.had_head = part.head != nullptr, .then = part.then};
  for (const std::string_view block : part.blocks) sent.blocks.emplace_back(block);
  if (part.file != nullptr) sent.file = read_range(*part.file);
  bytes_sent_ += sent.bytes().size();
  parts_.push_back(std::move(sent));
  ended_ = part.then == ReplyPart::Then::end;
  if (ended_) {
    log_before_end_ = recorder_.text();
    end_figures_ = part.figures;
    for (const auto& [name, value] : part.trailers) {
      trailers_.append(name).append(": ").append(value).append("\n");
    }
  }
  ++parts_sent_;
  return SendResult::sent;
}

SendResult FakeExchange::switch_protocols(const gateway::ResponseHead& head) noexcept {
  if (has_head() || status_ != 0) ADD_FAILURE() << "protocols were switched behind a head";
  if (left_) return SendResult::client_gone;
  keep_head(head);
  return SendResult::sent;
}

void FakeExchange::send_early_hints(std::span<const gateway::Header> headers) noexcept {
  if (has_head()) ADD_FAILURE() << "early hints were sent behind the head";
  for (const auto& [name, value] : headers) {
    early_hints_.append(name).append(": ").append(value).append("\n");
  }
}

gateway::ClientSocket FakeExchange::client_socket() const noexcept {
  if (request_.client_socket < 0) return {};
  return {.kind = gateway::ClientSocket::Kind::open, .fd = request_.client_socket};
}

ClientState FakeExchange::client_state() noexcept {
  if (request_.client_socket < 0) return left_ ? ClientState::gone : ClientState::ready;
  pollfd client{.fd = request_.client_socket, .events = POLLOUT | POLLRDHUP, .revents = 0};
  ::poll(&client, 1, 0);
  if ((client.revents & ~POLLOUT) != 0) return ClientState::gone;
  return client.revents == 0 ? ClientState::behind : ClientState::ready;
}

void FakeExchange::check_order(const ReplyPart& part) {
  if (ended_) ADD_FAILURE() << "a part was sent after the one with Then::end";
  if (parts_.empty() && part.head == nullptr) ADD_FAILURE() << "the first part has no head";
  if (!parts_.empty() && part.head != nullptr) ADD_FAILURE() << "a second head was sent";
}

void FakeExchange::keep_head(const gateway::ResponseHead& head) {
  status_ = head.status;
  reason_ = head.reason;
  content_length_ = head.content_length;
  closes_connection_ = head.closes_connection;
  for (const gateway::Header& header : head.headers) {
    headers_.emplace_back(header.name, header.value);
  }
}

std::optional<std::string> FakeExchange::header(std::string_view name) const {
  for (const auto& [key, value] : headers_) {
    if (base::equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string FakeExchange::body() const {
  std::string all;
  for (const SentPart& part : parts_) all += part.bytes();
  return all;
}

}  // namespace pyhost::test
