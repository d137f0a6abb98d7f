// Takes the connections that come to a worker.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "pyhost/base/log.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::worker {

// Without a descriptor for a connection, one that is idle is closed; if none is, the new one is
// refused: otherwise it would wait, and the socket would stay readable, until one comes free. May
// be used by any thread.
class Acceptor {
 public:
  // The listening socket may be shared with other processes; the log outlives the acceptor.
  // `make_room` closes an idle connection and says whether there was one.
  Acceptor(base::UniqueFd listening, std::string process_group, std::function<bool()> make_room,
           base::LogSink& log) noexcept
      : listening_(std::move(listening)),
        process_group_(std::move(process_group)),
        make_room_(std::move(make_room)),
        log_(log) {}

  // False, with errno set, when the socket is none.
  bool open() noexcept;
  int fd() const noexcept { return listening_.get(); }
  // Another listening socket takes the place of the present one, under the same number. Whoever is
  // accepting at this moment may still take somebody from the old one.
  void move_to(base::UniqueFd listening) noexcept;

  struct Arrival {
    base::UniqueFd socket;  // invalid when nobody came, or who came was refused
    bool waits = false;     // somebody can be neither taken nor refused: look again in a while
    bool broken = false;    // the listening socket is none any more
  };
  Arrival accept();

 private:
  void keep_spare_locked() noexcept;
  int refuse_locked() noexcept;
  void tell(std::string_view what, int error) const;

  const base::UniqueFd listening_;
  const std::string process_group_;
  const std::function<bool()> make_room_;
  base::LogSink& log_;
  std::mutex mutex_;
  base::UniqueFd spare_;       // given up for a moment to refuse a connection
  bool waiting_told_ = false;  // since somebody could last be taken or refused
};

}  // namespace pyhost::worker
