// A request whose body was received before its application runs in this process.
#pragma once

#include "pyhost/gateway/client_exchange.h"
#include "remote/request_body.h"

namespace pyhost::apache {

// The exchange with its client in all but the body, which is here. Both outlive this.
class ReceivedExchange final : public gateway::Exchange {
 public:
  ReceivedExchange(gateway::ClientExchange& client, remote::RequestBody& body) noexcept
      : client_(client), body_(body) {}

  const gateway::RequestHead& head() const noexcept override { return client_.head(); }
  gateway::BodyRead read_body(std::span<char> into) noexcept override { return body_.read(into); }
  gateway::SendResult send(const gateway::ReplyPart& part) noexcept override {
    return client_.send(part);
  }
  void send_early_hints(std::span<const gateway::Header> headers) noexcept override {
    client_.send_early_hints(headers);
  }
  bool client_gone() noexcept override { return client_.client_gone(); }
  bool wants(base::LogLevel level) const noexcept override { return client_.wants(level); }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override {
    client_.log(level, message, text);
  }
  void log_application(const base::ApplicationRecord& record) noexcept override {
    client_.log_application(record);
  }
  void import_begins() noexcept override { client_.import_begins(); }
  void import_ended() noexcept override { client_.import_ended(); }

 private:
  gateway::ClientExchange& client_;
  remote::RequestBody& body_;
};

}  // namespace pyhost::apache
