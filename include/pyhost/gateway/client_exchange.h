// A request whose client is at hand: what a child of httpd knows beyond what Python's side sees.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "pyhost/gateway/exchange.h"
#include "pyhost/gateway/request_times.h"
#include "pyhost/gateway/runner.h"
#include "pyhost/gateway/serving_worker.h"
#include "pyhost/gateway/target.h"
#include "pyhost/gateway/tunnel.h"

namespace pyhost::gateway {

// How a client does with its reply.
enum class ClientState {
  ready,   // has taken all that httpd was given, as far as anybody can tell
  behind,  // has not: send() may have to wait for it
  gone,    // has closed its connection or reset its stream: nobody listens any more
};

// The client's connection, for poll() alone.
struct ClientSocket {
  enum class Kind {
    open,    // `fd` can be written when the client takes more, and hangs up when the client leaves
    shared,  // with other streams (HTTP/2): whether the client is ready or leaves does not show
    closed,  // by httpd, which has given up the request because it ends
    answered,  // by httpd itself: whoever leaves has had the answer, or is about to
  };
  Kind kind = Kind::shared;
  int fd = -1;  // -1 unless `open`; poll() looks at none then

  bool can_be_watched() const noexcept { return kind == Kind::open; }
};

// Whether a request body is received before the application is run, so that a slow upload keeps no
// Python thread waiting, or passed on while it comes.
enum class Buffering { off, on };

// The client of a request, whoever answers that.
class Client {
 public:
  virtual ~Client() = default;

  // Also from another thread.
  virtual ClientSocket client_socket() const noexcept = 0;

  // Looks at the client without waiting for it, and sends on what httpd still holds for it.
  virtual ClientState client_state() noexcept = 0;
};

// Implemented by apache/ over request_rec.
class ClientExchange : public Exchange, public Client {
 public:
  // What is wanted for this request.
  virtual Buffering buffering() const noexcept = 0;

  // As read_body(), without waiting for the client; nothing when none of the body is here.
  virtual std::optional<BodyRead> read_body_now(std::span<char> into) noexcept = 0;

  // The whole body was received before the application runs, and has so many bytes: head() says so
  // from here on, whatever the client has announced.
  virtual void note_received_body(std::uint64_t bytes) = 0;

  // In the place of send(): the reply's head has status 101, and the client is told that its
  // connection is a stream of bytes from here on. PRECONDITION: head() offers a valid WebSocket.
  virtual SendResult switch_protocols(const ResponseHead& head) noexcept = 0;
  // Behind SendResult::sent: the other end of the stream, for whoever has had the request run. Logs
  // to this exchange.
  void keep_tunnel(std::unique_ptr<Tunnel> tunnel) noexcept { tunnel_ = std::move(tunnel); }
  std::unique_ptr<Tunnel> take_tunnel() noexcept { return std::move(tunnel_); }

  // Noted by whoever runs it, in the thread that does.
  RequestTimes& times() noexcept { return times_; }
  const RequestTimes& times() const noexcept { return times_; }

  // The worker that has the request, noted by whoever has sent it there.
  virtual void note_worker(const ServingWorker& worker) noexcept { worker_ = worker; }
  const ServingWorker& worker() const noexcept { return worker_; }

  bool client_gone() noexcept final { return client_state() == ClientState::gone; }

 private:
  RequestTimes times_;
  ServingWorker worker_;
  std::unique_ptr<Tunnel> tunnel_;
};

// Whoever asks hook scripts about a request, before that has an exchange.
class ClientCaller : public Caller, public Client {
 public:
  // How long an answer may take, with all that it waits for; where Python is in this process it is
  // not looked at.
  virtual std::chrono::milliseconds patience() const noexcept = 0;
};

// Whoever serves the requests of a httpd child, wherever Python runs. Safe for all threads.
class ClientRunner {
 public:
  virtual ~ClientRunner() = default;

  // Blocks until the reply is complete or broken. Failures are logged to the exchange. Never gives
  // Outcome::Kind::outdated.
  virtual Outcome run(const Target& target, ClientExchange& exchange) noexcept = 0;

  // Blocks until there is an answer, or a refusal, which says what to answer the client instead;
  // never outdated. Failures are logged to the caller.
  virtual AskResult ask(const Target& target, const Question& question,
                        ClientCaller& caller) noexcept = 0;
};

}  // namespace pyhost::gateway
