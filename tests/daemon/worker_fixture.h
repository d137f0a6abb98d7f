// pyhost-worker as the supervisor starts it, with a real CPython inside.
#pragma once

#include <string>
#include <string_view>

#include "control/worker_brief.h"
#include "daemon/group_fixture.h"

namespace pyhost::test {

// The test is the supervisor of one worker, in slot 0, and the httpd child that asks it.
class WorkerProcess : public GroupTest {
 protected:
  WorkerProcess();
  ~WorkerProcess() override;

  // Starts the worker.
  void spawn();
  // Starts it and declares it ready when it says so.
  void spawn_and_wait();
  // The next line of the status socket; empty at its end.
  std::string next_line();
  // The same without what was imported, or could not be.
  std::string next_status();
  // What waitpid() says, once the worker has ended.
  int wait_for_end();

  std::string log() const { return read_file(folder_.path() + "/worker.log"); }
  std::string script(std::string_view name, std::string_view text) {
    return folder_.write(name, text);
  }
  // A fifo: opening it for writing waits until an application opens it for reading.
  std::string make_gate();

  control::WorkerBrief worker_;
  base::UniqueFd status_;
  pid_t pid_ = -1;

 private:
  void exec(std::vector<int> descriptors);
};

// Says "hello" and the name of the process group.
inline constexpr std::string_view kHello = R"(
import mod_wsgi
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'hello ' + mod_wsgi.process_group.encode()]
)";

}  // namespace pyhost::test
