// A worker without Python: reports ready, tells what it is made of to whoever connects, and
// misbehaves when its settings say so:
//   "fail": sentence    reports it and exits with 1
//   "crash": true       dies of SIGSEGV before it is ready
//   "silent": true      is never ready
//   "broken": file      cannot import what its predecessor had while there is such a file
//   "deaf": true        ignores SIGTERM and kHurrySignal
//   "greets": true      greets whoever connects
//   "closed": true      accepts nobody
// A connection sends one word: "observe" is answered with a JSON object, "exit N" ends the worker
// with that code, "crash" with SIGSEGV, "say TEXT" puts a line on the status socket.
// Linked statically, so that a jail needs nothing but the program.
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "control/end_reason.h"
#include "control/worker_descriptors.h"

extern char** environ;

namespace {

using Json = nlohmann::json;
using pyhost::control::kWorkerListeningFd;
using pyhost::control::kWorkerSettingsFd;
using pyhost::control::kWorkerStatusFd;

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t got; (got = read(fd, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), got);
  }
  return text;
}

bool say(int fd, const std::string& text) {
  return write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

Json ids() {
  std::array<uid_t, 3> users;
  std::array<gid_t, 3> groups;
  getresuid(&users[0], &users[1], &users[2]);
  getresgid(&groups[0], &groups[1], &groups[2]);
  std::array<gid_t, 64> supplementary;
  const int count = getgroups(supplementary.size(), supplementary.data());
  return {{"uids", users},
          {"gids", groups},
          {"groups", std::vector<gid_t>(supplementary.begin(), supplementary.begin() + count)},
          {"regains_root", setuid(0) == 0}};
}

Json limit_of(__rlimit_resource resource) {
  rlimit limit{};
  getrlimit(resource, &limit);
  return {limit.rlim_cur, limit.rlim_max};
}

Json descriptors() {
  Json open = Json::array();
  for (int fd = 0; fd < 256; ++fd) {
    // The connection that asks is one of ours.
    if (fcntl(fd, F_GETFD) >= 0) open.push_back(fd);
  }
  return open;
}

Json names_in(const char* folder) {
  Json names = Json::array();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

Json oom_score() {
  std::ifstream file("/proc/self/oom_score_adj");
  int score = 0;
  return file >> score ? Json(score) : Json();
}

Json observe(const Json& brief, const char* name) {
  Json variables = Json::array();
  for (char** each = environ; *each != nullptr; ++each) variables.push_back(*each);
  const mode_t mask = umask(0);
  umask(mask);
  std::error_code ignored;  // of a jail without /proc
  return {{"pid", getpid()},
          {"parent", getppid()},
          {"ids", ids()},
          {"umask", mask},
          {"folder", std::filesystem::current_path().string()},
          {"environment", variables},
          {"memory", limit_of(RLIMIT_DATA)},
          {"address_space", limit_of(RLIMIT_AS)},
          {"cpu", limit_of(RLIMIT_CPU)},
          {"files", limit_of(RLIMIT_NOFILE)},
          {"nice", getpriority(PRIO_PROCESS, 0)},
          {"oom_score", oom_score()},
          {"name", name},
          {"root", names_in("/")},
          {"stdin", std::filesystem::read_symlink("/proc/self/fd/0", ignored).string()},
          {"descriptors", descriptors()},
          {"sighup_ignored", signal(SIGHUP, SIG_DFL) == SIG_IGN},
          {"settings", Json::parse(brief["settings"].get<std::string>())},
          {"assignment", brief["assignment"]}};
}

void serve(int connection, const Json& brief, const char* name, bool greets) {
  if (greets) say(connection, "hello");
  std::array<char, 64> word{};
  const ssize_t got = read(connection, word.data(), word.size() - 1);
  const std::string command(word.data(), got > 0 ? got : 0);
  if (command.starts_with("exit ")) _exit(std::atoi(command.c_str() + 5));
  if (command.starts_with("say ")) say(kWorkerStatusFd, command.substr(4) + "\n");
  if (command == "crash") raise(SIGSEGV);
  if (command == "observe") say(connection, observe(brief, name).dump());
}

// False when the supervisor has gone. It may ask whether we run.
bool answer_supervisor() {
  std::array<char, 64> words;
  if (recv(kWorkerStatusFd, words.data(), words.size(), MSG_DONTWAIT) <= 0) return false;
  return say(kWorkerStatusFd, "{\"alive\":true}\n");
}

// Until SIGTERM or kHurrySignal.
void serve_all(int signals, const Json& brief, const Json& settings, const char* name) {
  const int listening = settings.contains("closed") ? -1 : kWorkerListeningFd;
  int supervisor = kWorkerStatusFd;
  while (true) {
    std::array<pollfd, 3> ready{{{.fd = listening, .events = POLLIN},
                                 {.fd = signals, .events = POLLIN},
                                 {.fd = supervisor, .events = POLLIN}}};
    poll(ready.data(), ready.size(), -1);
    if (ready[1].revents != 0) return;
    if (ready[2].revents != 0 && !answer_supervisor()) supervisor = -1;
    if (ready[0].revents == 0) continue;
    const int connection = accept4(kWorkerListeningFd, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    serve(connection, brief, name, settings.contains("greets"));
    close(connection);
  }
}

}  // namespace

int main(int, char** argv) {
  // A crash on purpose leaves no core.
  const rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  const Json brief = Json::parse(read_all(kWorkerSettingsFd), nullptr, false);
  if (!brief.is_object()) return 9;
  const Json settings = Json::parse(brief["settings"].get<std::string>());
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, pyhost::control::kHurrySignal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  if (settings.contains("deaf")) sigemptyset(&set);
  const int signals = signalfd(-1, &set, SFD_CLOEXEC);

  listen(kWorkerListeningFd, 100);
  say(kWorkerStatusFd, "{\"step\":\"python\"}\n");
  if (settings.contains("fail")) {
    say(kWorkerStatusFd, Json{{"failed", settings["fail"]}}.dump() + "\n");
    return 1;
  }
  if (settings.contains("crash")) raise(SIGSEGV);
  if (brief["assignment"]["imports_required"] == true &&
      std::filesystem::exists(settings.value("broken", ""))) {
    say(kWorkerStatusFd, "{\"step\":\"preload\"}\n{\"failed\":\"the script is broken\"}\n");
    return 1;
  }
  if (!settings.contains("silent")) say(kWorkerStatusFd, "{\"ready\":true}\n");
  serve_all(signals, brief, settings, argv[0]);
  return 0;
}
