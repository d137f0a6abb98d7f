#include "httpd/crowd.h"

#include <gtest/gtest.h>

namespace pyhost::test {

Crowd::Crowd(const Httpd& httpd, CrowdPlan plan) : plan_(std::move(plan)) {
  for (int i = 0; i < plan_.clients; ++i) {
    clients_.emplace_back([this, &httpd, i] { work(httpd, i); });
  }
}

void Crowd::finish() {
  over_ = true;
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
  for (int n = 0; n != plan_.requests_of_each && !over_; ++n) {
    const std::string id = plan_.name + "-" + std::to_string(client) + "-" + std::to_string(n);
    // Most bodies are small; some are longer than what travels with the request.
    std::string body;
    for (std::size_t i = 0; i < (n % 16 == 15 ? 10'000 : 1); ++i) body += id + ";";
    Request request{
        .method = "POST", .path = "/labour?" + id, .headers = {{"X-Id", id}}, .body = body};
    if (!plan_.seconds.empty()) request.headers.emplace_back("X-Seconds", plan_.seconds);
    judge(ask(httpd, connection, request), id, body);
  }
}

Response Crowd::ask(const Httpd& httpd, HttpClient& connection, const Request& request) {
  if (!plan_.keep_connections) return httpd.request(request);
  Response reply = connection.request(request);
  if (reply.status != 0 || !reply.on_kept_connection) return reply;
  ++tried_again_;
  return connection.request(request);
}

void Crowd::judge(const Response& reply, const std::string& id, const std::string& body) {
  if (reply.status != 200 || !reply.complete()) {
    const std::lock_guard lock(mutex_);
    failures_.push_back(reply);
    return;
  }
  ++answered_;
  if (reply.header("x-id") != id || reply.body != id + body) {
    ADD_FAILURE() << "request " << id << " got another's reply: " << reply;
  }
}

}  // namespace pyhost::test
