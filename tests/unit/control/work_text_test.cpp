#include <gmock/gmock.h>

#include "control/work_answer.h"

namespace pyhost::control {
namespace {

TEST(WorkText, HasNothingThatLooksLikeAnotherWorker) {
  EXPECT_EQ(
      work_text("one", {{.slot = 0, .pid = 18, .generation = 2, .text = "a\n\nb\x1b\nworker 1"},
                        {.slot = 0,
                         .role = "keeper",
                         .pid = 19,
                         .generation = 1,
                         .text = "c",
                         .problem = "too late"}}),
      "worker 0 of process group one, pid 18, generation 2\n"
      "  a\n"
      "  \n"
      "  b\\x1b\n"
      "  worker 1\n"
      "\n"
      "keeper 0 of process group one, pid 19, generation 1\n"
      "  c\n"
      "  too late\n");
}

TEST(WorkText, SaysThatThereAreNoWorkers) {
  EXPECT_EQ(work_text("one", {}), "Process group one has no workers.\n");
}

}  // namespace
}  // namespace pyhost::control
