#include "serve/orphans.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "base/parse.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

struct Child {
  pid_t pid = 0;
  std::string name;
};

// /proc/PID/stat: "PID (name) state parent ..."; the name may have anything in it.
std::vector<Child> children_of(pid_t wanted_parent) {
  std::vector<Child> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const auto pid = base::parse_unsigned(entry.path().filename().string());
    if (!pid) continue;
    std::string line;
    std::getline(std::ifstream(entry.path() / "stat"), line);
    const auto open = line.find('('), close = line.rfind(')');
    if (open == line.npos || close == line.npos) continue;
    char state = 0;
    long parent = 0;
    if (std::sscanf(line.c_str() + close + 1, " %c %ld", &state, &parent) != 2) continue;
    if (parent == wanted_parent && state != 'Z') {
      found.push_back({static_cast<pid_t>(*pid), line.substr(open + 1, close - open - 1)});
    }
  }
  return found;
}

}  // namespace

void adopt_orphans() noexcept {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

bool has_child_called(pid_t parent, std::string_view name) {
  constexpr std::size_t kNameMax = 15;
  for (const Child& child : children_of(parent)) {
    if (child.name == name.substr(0, kNameMax)) return true;
  }
  return false;
}

void kill_children() {
  for (const Child& child : children_of(getpid())) kill(child.pid, SIGKILL);
}

}  // namespace pyhost::serve
