// A real pyhost-supervisor with workers that have no Python; the test's process is httpd.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/supervisor_link.h"
#include "harness/group_board.h"
#include "harness/temp_dir.h"
#include "harness/wait.h"
#include "scoreboard/board_rows.h"

namespace pyhost::test {

using Options = std::vector<std::pair<std::string, std::string>>;

// Whether the process is there and no zombie.
bool is_alive(pid_t pid);
// The living children of a process.
std::vector<pid_t> children_of(pid_t pid);

// The supervisor and the worker of these tests.
inline const control::Programs kPrograms{.supervisor = PYHOST_TEST_SUPERVISOR,
                                         .worker = PYHOST_TEST_WORKER};

class SupervisorFixture : public testing::Test {
 protected:
  SupervisorFixture();
  // Ends the supervisor as the end of httpd would, and fails the test when it or a worker stays, or
  // when a socket is left.
  ~SupervisorFixture() override;

  // Adds a group to what will be sent. Budgets for an end are long unless the options say less.
  control::WantedGroup& want(const std::string& name, const Options& options = {},
                             const nlohmann::json& settings = nlohmann::json::object());
  // Sends what is wanted; "" or the supervisor's sentences.
  std::string apply();
  // The two halves of it.
  void send_state();
  std::string answer();

  // What a worker of a slot answers; empty when the connection breaks instead. The first worker
  // of the slot is waited for.
  std::string ask(unsigned group, unsigned slot, const std::string& command) const;
  nlohmann::json observe(unsigned group, unsigned slot = 0) const;
  pid_t worker_pid(unsigned group, unsigned slot = 0) const { return observe(group, slot)["pid"]; }

  // The scoreboard of the group with that index, which has four slots.
  scoreboard::Scoreboard& board(unsigned group);
  // Of the worker of a slot of the first group.
  scoreboard::SlotStatus slot_status(unsigned slot) {
    return board(0).status(scoreboard::row_of(slot));
  }

  std::string log_text() const;
  // Waits until the log has the text `times` times.
  [[nodiscard]] bool logged(const std::string& text, unsigned times = 1) const;
  // Ends it by the end of the channel and returns what waitpid() says; nothing when it stays.
  std::optional<int> stop_supervisor();
  // Starts another one in the place of the one that runs.
  void relaunch(const control::Programs& programs = kPrograms);
  std::string prefix() const { return folder.path() + "/wsgi"; }

  TempDir folder;
  std::string log_file;
  base::UniqueFd log;
  control::WantedState state;
  std::map<unsigned, GroupBoard> boards;  // by the group's index
  control::SupervisorLink link;
  std::uint64_t messages = 0;
  std::optional<int> exit_status;  // of the supervisor, once it was stopped
};

}  // namespace pyhost::test
