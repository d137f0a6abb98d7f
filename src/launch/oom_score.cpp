#include "launch/oom_score.h"

#include <cstdio>
#include <memory>

namespace pyhost::launch {

int own_oom_score() noexcept {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen("/proc/self/oom_score_adj", "re"), std::fclose);
  int score = 0;
  return file != nullptr && std::fscanf(file.get(), "%d", &score) == 1 ? score : 0;
}

bool is_oom_score_for_root(const settings::ProcessGroup& group) noexcept {
  return group.oom_score_adjust && *group.oom_score_adjust < own_oom_score();
}

}  // namespace pyhost::launch
