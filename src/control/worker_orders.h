// What the supervisor tells a worker, or a lookout, while it lives, over the socket that it reports
// on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::control {

// One byte for its kind, the length of its text, the text; some come with a descriptor.
struct WorkerOrder {
  enum class Kind : char {
    log = 'l',        // write to the log that comes along: httpd has opened another one
    serve = 's',      // although imports have failed; see StatusReport::Kind::asks
    leave = 'x',      // because imports have failed
    keep = 'k',       // serve some scripts only, at the socket that comes along; see KeepOrder
    show_life = '?',  // report that you run
    show_work = 't',  // write what your threads do to the pipe that comes along
    watch = 'w',      // for a lookout: the WatchList in the file that comes along
  };
  Kind kind{};
  std::string text;
  base::UniqueFd descriptor;  // close-on-exec
};

inline constexpr std::size_t kWorkerOrderTextMax = 16 * 1024;
// Of what a worker writes for show_work; what is more is cut off.
inline constexpr std::size_t kWorkTextMax = 256 * 1024;

// The supervisor's side, to the other end of kWorkerStatusFd. The descriptor stays the caller's; -1
// for none. Does not wait: fails when the worker has gone or takes no orders, and ends the
// connection when that leaves half an order in it, which is a stop for the worker.
base::Result<> send_order(int status_socket, WorkerOrder::Kind kind, std::string_view text = "",
                          int descriptor = -1);

// The worker's side: the next order; nothing, and errno, when there is none. Does not wait.
std::optional<WorkerOrder> take_order(int status_socket);

// The text of Kind::keep: the worker is in another slot of the scoreboard from now on, where it
// runs these scripts only; see scoreboard::ReportWriter::move_to().
struct KeepOrder {
  std::uint32_t slot = 0;
  std::uint32_t report = 0;
  std::vector<std::uint64_t> scripts;

  bool operator==(const KeepOrder&) const = default;
};
std::string to_json(const KeepOrder& order);
std::optional<KeepOrder> parse_keep_order(std::string_view json);

}  // namespace pyhost::control
