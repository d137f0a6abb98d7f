// The client's end of a WebSocket.
#pragma once

#include <string_view>

#include "apache/httpd_api.h"
#include "pyhost/gateway/tunnel.h"

namespace pyhost::apache {

// Reads and writes the connection through its filters, so that TLS, HTTP/2 and what counts bytes do
// their part. Used by one thread at a time, which has the connection to itself. Only a HTTP/2
// stream waits in send(), for the client to take what it is sent.
class ClientStream final : public gateway::StreamEnd {
 public:
  // The connection outlives it.
  explicit ClientStream(conn_rec* c);
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;
  ~ClientStream() override;

  std::string_view look() override;
  void consume(std::size_t bytes) noexcept override;
  bool ended() const noexcept override { return ended_ && rest_.empty(); }
  std::size_t send(std::string_view bytes) override;
  Room flush() override;

  // What to poll for it; -1 when there is nothing.
  int fd() const noexcept { return fd_; }

 private:
  bool receive();
  bool take_bucket();

  conn_rec* c_;
  apr_bucket_brigade* input_;
  apr_bucket_brigade* output_;
  std::string_view rest_;  // of the first bucket of input_
  int fd_ = -1;
  bool heard_ = false;
  bool ended_ = false;
  bool gone_ = false;
};

}  // namespace pyhost::apache
