// Frames over a unix stream socket.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "os/descriptor_passing.h"
#include "pyhost/base/unique_fd.h"
#include "wire/frame.h"
#include "wire/frame_batch.h"

namespace pyhost::wire {

// How long one wait for the peer may last; every byte that moves begins a new one.
using Timeout = std::chrono::milliseconds;
inline constexpr Timeout kNoTimeout = Timeout::max();

enum class Io {
  done,
  timeout,
  closed,     // the peer has closed its end in good order
  reset,      // the peer has gone without reading everything it was sent
  malformed,  // what came is no frame: see fault()
};

// A frame that has arrived. `payload` lies in the connection's buffer until the next fill().
struct Frame {
  FrameType type{};
  std::string_view payload;
};

// Whether the peer may pass descriptors.
enum class Descriptors { refused, accepted };

// One end of a connection. Used by one thread
// at a time; nothing throws but std::bad_alloc. After any outcome but `done` and `timeout` the
// connection is of no further use.
class Connection {
 public:
  Connection(base::UniqueFd socket, Descriptors descriptors);

  int fd() const noexcept { return socket_.get(); }

  enum class Next { frame, incomplete, malformed };
  // Takes the next frame out of what has arrived.
  Next next(Frame& frame);
  // The frame that next() has given is the next one again. PRECONDITION: nothing was received, and
  // no other frame taken, since.
  void put_back(const Frame& frame) noexcept { begin_ -= kHeaderBytes + frame.payload.size(); }
  // Receives what there is, waiting for at least one byte.
  Io fill(Timeout timeout);
  // The same without waiting; Io::timeout when there is nothing.
  Io fill_now();
  // The same, waiting for as long as the socket has SO_RCVTIMEO.
  Io fill_shortly();
  // next(), and fill() until it has a frame.
  Io read_frame(Frame& frame, Timeout timeout);

  // The peer has proved who it is, and may send frames as large as a REQUEST can be.
  void trust_requests() noexcept { trusts_requests_ = true; }

  // Whether nothing has arrived that next() did not hand out.
  bool drained() const noexcept { return begin_ == end_ && files_.empty(); }
  // Whether the frame that has begun to arrive will fit behind what is buffered, so that fill()
  // leaves earlier payloads where they are.
  bool rest_fits_in_place() const noexcept;
  // Overwrites what next() has handed out, which is not to be looked at any more, wherever in the
  // buffer it was.
  void wipe() noexcept;
  // Whether the peer is still there and has sent nothing: the state between two exchanges.
  bool idle() const noexcept;

  // From here on, sender() is who has sent what fill() received last, for as long as that is
  // wanted: the kernel's word. To have that of the first bytes, call it before the socket is
  // connected.
  void name_senders(bool wanted) noexcept { os::name_senders(fd(), wanted); }
  std::optional<os::Peer> sender() const noexcept { return sender_; }

  // The descriptor that came with a REPLY_FILE frame; invalid when none did.
  base::UniqueFd take_file() noexcept;

  Io write(FrameBatch& batch, Timeout timeout);
  // As much as goes without waiting; Io::timeout when something is left.
  Io write_some(FrameBatch& batch);
  // Ends the connection for both, who may read what is there. Of no further use but for its fd().
  void shut() noexcept;
  // Which of POLLIN and POLLOUT is possible; 0 when the time is over.
  short wait(short events, Timeout timeout) const noexcept;

  // --- Taking a request back that the peer has not read ---
  //
  // A process that is stopped leaves what it is sent in its socket, and the kernel tells the sender
  // so. Whoever receives the end of a REQUEST and has room for more receives what lies behind it as
  // well. So if CANCEL lies behind an end that nobody has received, whoever does will see both, and
  // not run the request.

  // Whether the peer has not received the end of what was written.
  bool has_unread() const noexcept;

  enum class Cancelled {
    yes,        // the peer will not run the request; the connection is of no further use
    undecided,  // the peer answers RETRY, or runs it and takes no notice
    not_sent,   // there is no room for CANCEL
  };
  // When a REQUEST was written and has_unread().
  Cancelled cancel() noexcept;
  // The other end, when next() has given a REQUEST: whether it is taken back.
  bool is_cancelled() const noexcept;
  // Whether nothing but CANCEL has come, too late; then it is dropped.
  bool drop_late_cancel();

  // What was malformed, for the log.
  const std::string& fault() const noexcept { return fault_; }

 private:
  Io receive(int flags);
  std::size_t bytes_unread() const noexcept;
  void make_room();
  bool take(os::Received& received);
  std::size_t buffered() const noexcept { return end_ - begin_; }

  base::UniqueFd socket_;
  Descriptors descriptors_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t used_ = 0;               // how far the buffer was filled since wipe()
  std::size_t wanted_ = kHeaderBytes;  // of the frame that is arriving, header included
  bool trusts_requests_ = false;
  bool filled_up_ = false;  // more may have been there than was received last
  std::deque<base::UniqueFd> files_;
  std::optional<os::Peer> sender_;
  std::string fault_;
};

}  // namespace pyhost::wire
