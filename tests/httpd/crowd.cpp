#include "httpd/crowd.h"

#include <gtest/gtest.h>

namespace pyhost::test {

Crowd::Crowd(const Httpd& httpd, int clients, int requests_of_each) {
  for (int i = 0; i < clients; ++i) {
    clients_.emplace_back(
        [this, &httpd, i, requests_of_each] { work(httpd, i, requests_of_each); });
  }
}

void Crowd::finish() {
  over_ = true;
  wait();
}

void Crowd::wait() {
  clients_.clear();
}

void Crowd::work(const Httpd& httpd, int client, int requests) {
  HttpClient connection = httpd.client();
  for (int n = 0; n != requests && !over_; ++n) {
    const std::string id = std::to_string(client) + "-" + std::to_string(n);
    // Most bodies are small; some are longer than what travels with the request.
    std::string body;
    for (std::size_t i = 0; i < (n % 16 == 15 ? 20'000 : 1); ++i) body += id + ";";
    judge(connection.request(
              {.method = "POST", .path = "/labour?" + id, .headers = {{"X-Id", id}}, .body = body}),
          id, body);
  }
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
