// A run of `pyhost serve`, as a person starts it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/http_client.h"
#include "harness/process.h"
#include "harness/temp_dir.h"

namespace pyhost::test {

// An application that answers with "hello from " and its SCRIPT_NAME.
inline constexpr char kHello[] = R"(
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello from " + environ["SCRIPT_NAME"].encode()]
)";

// Listens on a free port. Temporary files of the program go to a folder of the test, to be counted.
// It runs in the test's folder.
class Serve {
 public:
  Serve(const TempDir& folder, std::vector<std::string> arguments,
        const Environment& environment = {});
  // Another program that becomes `pyhost serve`.
  Serve(const TempDir& folder, std::vector<std::string> command, std::vector<std::string> arguments,
        const Environment& environment);

  // Waits until it serves.
  HttpClient client();
  Response get(const std::string& path) { return client().get(path); }
  int port();
  std::string url();

  void signal(int number) { process_->signal(number); }
  void stop(int signal_number = 2 /* SIGINT */);
  // And that it leaves nothing in the folder of temporary files.
  void expect_end(int exit_code);
  bool wait_for_output(const std::string& text);

  std::string output() const;
  pid_t pid() const { return process_->pid(); }
  // Where temporary files go.
  const std::string& temporary() const noexcept { return temporary_; }
  std::vector<std::string> files_left() const;

 private:
  const std::string temporary_;
  const std::string output_file_;
  std::optional<Process> process_;
};

// What it says when it does not serve at all.
std::string refusal(const TempDir& folder, std::vector<std::string> arguments,
                    const Environment& environment = {});

}  // namespace pyhost::test
