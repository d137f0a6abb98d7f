#include "supervisor/supervisor_fixture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;

struct Stat {
  char state = 0;
  pid_t parent = 0;
};

std::optional<Stat> stat_of(pid_t pid) {
  const std::string text = read_file(fmt::format("/proc/{}/stat", pid));
  const auto name_end = text.rfind(')');
  if (name_end == text.npos) return std::nullopt;
  Stat stat;
  std::sscanf(text.c_str() + name_end + 1, " %c %d", &stat.state, &stat.parent);
  return stat;
}

}  // namespace

bool is_alive(pid_t pid) {
  const auto stat = stat_of(pid);
  return stat && stat->state != 'Z' && stat->state != 'X';
}

std::vector<pid_t> children_of(pid_t pid) {
  std::istringstream list(read_file(fmt::format("/proc/{0}/task/{0}/children", pid)));
  std::vector<pid_t> children;
  for (pid_t child; list >> child;) {
    if (is_alive(child)) children.push_back(child);
  }
  return children;
}

SupervisorFixture::SupervisorFixture()
    : log_file(folder.write("error.log", "")),
      log(open(log_file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)) {
  state.socket_prefix = prefix();
  state.operator_socket = prefix() + ".control";
  state.httpd = geteuid() == 0 ? control::HttpdIdentity{.uid = 33, .gid = 33}
                               : control::HttpdIdentity{.uid = geteuid(), .gid = getegid()};
  state.log = {.level = base::LogLevel::info, .printed = base::LogLevel::info};
  relaunch();
}

void SupervisorFixture::relaunch(const control::Programs& programs) {
  if (link.pid > 0) stop_supervisor();
  exit_status.reset();
  auto launched = control::launch_supervisor(programs, log.get());
  if (launched) {
    link = *std::move(launched);
  } else {
    ADD_FAILURE() << launched.error().sentence;
  }
}

SupervisorFixture::~SupervisorFixture() {
  const auto workers = link.pid > 0 ? children_of(link.pid) : std::vector<pid_t>();
  const auto status = stop_supervisor();
  EXPECT_EQ(status, 0) << log_text();
  for (const pid_t worker : workers) {
    EXPECT_TRUE(wait_until([worker] { return !is_alive(worker); })) << worker;
  }
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    EXPECT_NE(entry.path().extension(), ".sock") << entry.path();
    EXPECT_NE(entry.path().extension(), ".control") << entry.path();
  }
  if (HasFailure()) fmt::print(stderr, "{}", log_text());
}

control::WantedGroup& SupervisorFixture::want(const std::string& name, const Options& options,
                                              const nlohmann::json& settings) {
  control::WantedGroup& group = state.groups.emplace_back();
  group.options.name = name;
  group.options.graceful_timeout = std::chrono::seconds(10);
  group.options.shutdown_timeout = std::chrono::seconds(10);
  group.index = state.groups.size() - 1;
  group.worker_settings = settings.dump();
  for (const auto& [key, value] : options) {
    const auto parsed = settings::parse_process_group_option(group.options, key, value);
    EXPECT_TRUE(parsed) << parsed.error().sentence;
  }
  return group;
}

std::string SupervisorFixture::apply() {
  send_state();
  return answer();
}

void SupervisorFixture::send_state() {
  std::vector<int> descriptors{log.get()};
  for (control::WantedGroup& group : state.groups) {
    board(group.index);
    const GroupBoard& own = boards.at(group.index);
    group.board = descriptors.size();
    group.reports = group.board + 1;
    descriptors.insert(descriptors.end(), {own.board_fd(), own.reports_fd()});
  }
  const auto sent = control::send_wanted_state(link.control.get(), ++messages, state, descriptors);
  EXPECT_TRUE(sent) << sent.error().sentence;
}

std::string SupervisorFixture::answer() {
  const auto answer = control::await_answer(link.control.get(), messages);
  if (!answer) return answer.error().sentence;
  const auto outcome = control::outcome_of(*answer);
  return outcome ? "" : outcome.error().sentence;
}

scoreboard::Scoreboard& SupervisorFixture::board(unsigned group) {
  constexpr std::uint32_t kSlots = 4, kChildren = 2, kWaiters = 4;
  return *boards.try_emplace(group, scoreboard::row_of(kSlots), kChildren, kWaiters).first->second;
}

std::string SupervisorFixture::ask(unsigned group, unsigned slot,
                                   const std::string& command) const {
  const base::UniqueFd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string path = fmt::format("{}.{}.{}.sock", prefix(), group, slot);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const auto connected = [&] {
    return connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
           0;
  };
  if (!wait_until(connected)) {
    ADD_FAILURE() << path << ": " << std::strerror(errno);
    return "";
  }
  ::send(connection.get(), command.data(), command.size(), MSG_NOSIGNAL);
  std::string answer;
  std::array<char, 4096> buffer;
  for (ssize_t got; (got = recv(connection.get(), buffer.data(), buffer.size(), 0)) > 0;) {
    answer.append(buffer.data(), got);
  }
  return answer;
}

nlohmann::json SupervisorFixture::observe(unsigned group, unsigned slot) const {
  const std::string answer = ask(group, slot, "observe");
  auto json = nlohmann::json::parse(answer, nullptr, false);
  EXPECT_TRUE(json.is_object()) << '"' << answer << "\"\n" << log_text();
  return json;
}

std::string SupervisorFixture::log_text() const {
  return read_file(log_file);
}

bool SupervisorFixture::logged(const std::string& text, unsigned times) const {
  return wait_until([&] {
    const std::string all = log_text();
    unsigned found = 0;
    for (auto at = all.find(text); at != all.npos; at = all.find(text, at + 1)) ++found;
    return found >= times;
  });
}

std::optional<int> SupervisorFixture::stop_supervisor() {
  link.control.reset();
  const pid_t pid = std::exchange(link.pid, -1);
  if (pid < 0) return exit_status;
  int status = 0;
  if (wait_until([&] { return waitpid(pid, &status, WNOHANG) != 0; })) {
    exit_status = status;
  } else {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  return exit_status;
}

}  // namespace pyhost::test
