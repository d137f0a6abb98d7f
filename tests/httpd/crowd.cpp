#include "httpd/crowd.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "base/parse.h"

namespace pyhost::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void raise_to(std::atomic<milliseconds>& slowest, milliseconds time) {
  milliseconds before = slowest;
  while (before < time && !slowest.compare_exchange_weak(before, time)) continue;
}

}  // namespace

Crowd::Crowd(const Httpd& httpd, CrowdPlan plan) : plan_(std::move(plan)) {
  for (int i = 0; i < plan_.clients; ++i) {
    clients_.emplace_back([this, &httpd, i] { work(httpd, i); });
  }
}

void Crowd::finish() {
  over_.request_stop();
  wait();
}

void Crowd::wait() {
  clients_.clear();
}

void Crowd::go_on(int replies) const {
  const int until = answered_ + replies;
  EXPECT_TRUE(wait_until([&] { return answered_ >= until; }))
      << answered_ << " of " << until << " replies";
}

void Crowd::work(const Httpd& httpd, int client) {
  HttpClient connection = httpd.client();
  for (int n = 0; n != plan_.requests_of_each && !over_.stop_requested(); ++n) {
    const std::string id = plan_.name + "-" + std::to_string(client) + "-" + std::to_string(n);
    // Most bodies are small; some are longer than what travels with the request.
    std::string body;
    for (std::size_t i = 0; i < (n % 16 == 15 ? 10'000 : 1); ++i) body += id + ";";
    Request request{
        .method = "POST", .path = "/labour?" + id, .headers = {{"X-Id", id}}, .body = body};
    if (!plan_.seconds.empty()) request.headers.emplace_back("X-Seconds", plan_.seconds);
    const auto begun = steady_clock::now();
    const Response reply = ask(httpd, connection, request);
    judge(reply, id, body);
    heed(reply, std::chrono::ceil<milliseconds>(steady_clock::now() - begun));
  }
}

Response Crowd::ask(const Httpd& httpd, HttpClient& connection, const Request& request) {
  if (!plan_.keep_connections) return httpd.request(request);
  Response reply = connection.request(request);
  if (reply.status != 0 || !reply.on_kept_connection) return reply;
  ++tried_again_;
  return connection.request(request);
}

void Crowd::heed(const Response& reply, milliseconds time) {
  constexpr int kServiceUnavailable = 503;
  if (reply.status != kServiceUnavailable) {
    raise_to(slowest_reply_, time);
    return;
  }
  raise_to(slowest_refusal_, time);
  const auto seconds = base::parse_unsigned(reply.header("retry-after").value_or("0"));
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(
      lock, over_.get_token(), std::chrono::seconds(seconds.value_or(0)), [] { return false; });
}

void Crowd::judge(const Response& reply, const std::string& id, const std::string& body) {
  if (reply.status != 200 || !reply.complete()) {
    const std::lock_guard lock(mutex_);
    failures_.push_back({reply, id});
    return;
  }
  ++answered_;
  if (reply.header("x-id") != id || reply.body != id + body) {
    ADD_FAILURE() << "request " << id << " got another's reply: " << reply;
  }
}

}  // namespace pyhost::test
