// Streams of bytes both ways: what a request is once its reply says 101.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "pyhost/gateway/leaving.h"
#include "pyhost/gateway/outcome.h"

namespace pyhost::gateway {

// One end of a stream. No call waits; none throws but std::bad_alloc. Not synchronised.
class StreamEnd {
 public:
  enum class Room {
    free,  // takes more
    none,  // not before it has passed on what it has: wait until it can be written to
    gone,  // takes nothing any more; what it has sent may still be there
  };

  virtual ~StreamEnd() = default;

  // What it has sent and was not consumed; receives only when there is nothing of that. Empty: not
  // now, or never more. Stays until the next call of anything.
  virtual std::string_view look() = 0;
  // PRECONDITION: look() had so many bytes.
  virtual void consume(std::size_t bytes) noexcept = 0;
  // Whether it sends nothing beyond what look() gives.
  virtual bool ended() const noexcept = 0;

  // Copies what it takes, which may be nothing, and says how much that is. Sent by flush() at the
  // latest.
  virtual std::size_t send(std::string_view bytes) = 0;
  // Sends on what goes without waiting.
  virtual Room flush() = 0;
};

// How a stream came to its end, as its child has seen it.
enum class StreamEnding {
  worker,       // has ended it, or was lost
  client_gone,  // has closed its connection, or that has failed
  client_slow,  // has taken nothing for longer than it may
  worker_late,  // has not ended it when the client had, or when it was told to leave
  stopped,      // its child ends at once, or has no memory for it
};

// The worker's end of a client's WebSocket, with the place at the worker that the socket has.
class Tunnel : public StreamEnd {
 public:
  // Of the connection, for poll() alone.
  virtual int fd() const noexcept = 0;
  // Whether the worker has died, which does not show in the connection while a process that it has
  // forked off has that too. Then look() comes to the end.
  virtual bool worker_has_died() noexcept = 0;
  // Nothing follows what was sent: the client has closed its side. Once.
  virtual void send_end() = 0;
  // The worker is to close the socket soon. Once.
  virtual void leave(Leaving leaving) = 0;

  // How long the client may take nothing; zero for ever.
  virtual std::chrono::milliseconds patience() const noexcept = 0;
  // How long the worker has for closing the socket, once it was told to leave.
  virtual std::chrono::milliseconds drain() const noexcept = 0;

  // Once, as the last call: tells the worker when the stream has not ended by it, gives its place
  // back, and logs what went wrong to the request. May wait a moment for news of a worker's death.
  virtual Outcome finish(StreamEnding ending) = 0;
};

}  // namespace pyhost::gateway
