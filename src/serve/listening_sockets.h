// Sockets that are there before httpd is: those of a service manager, and of the unix domain.
#pragma once

#include <string>
#include <vector>

#include "control/passed_listeners.h"
#include "os/unix_socket.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "serve/server_plan.h"

namespace pyhost::serve {

// httpd gets them when it is started. The files of unix sockets go with the object.
class ListeningSockets {
 public:
  // With those that a service manager has opened for this process.
  explicit ListeningSockets(std::vector<base::UniqueFd> activated = {});

  // Where those listen; fails for one that is no listening stream socket.
  base::Result<std::vector<ListenAddress>> activated_addresses() const;
  // Makes that of an address of the unix domain, open to everybody who can reach its folder, and
  // takes the place of one that was left behind. Fails, with a sentence that begins with `option`,
  // when somebody listens there, or the path is that of something else.
  base::Result<> open(const std::string& option, ListenAddress& address);

  // What httpd is to be told of them.
  static std::vector<control::PassedListener> passed(const std::vector<ListenAddress>& addresses);
  // Leaves them to httpd: who connects when it has ended is not kept waiting.
  void let_go() noexcept { sockets_.clear(); }

 private:
  std::vector<base::UniqueFd> sockets_;
  std::vector<os::SocketFile> files_;
};

}  // namespace pyhost::serve
