// What applications have measured themselves, of all groups together.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "appmetrics/reader.h"

namespace pyhost::metrics {

// Families by their names, each once, whoever has it; the name of the group is the first label of
// its samples. A value type.
class ApplicationFigures {
 public:
  struct Sample {
    std::string group;
    // Of the group's family, whose labels may be others than those of another group.
    std::vector<std::string> labels;
    appmetrics::Sample sample;
  };
  struct Family {
    appmetrics::Kind kind;
    std::string name;
    std::string help;  // any bytes
    std::vector<Sample> samples;
  };

  // Adds those of a group. A family that another group has as another kind is left out, and so is
  // one of whose samples could be taken for those of another family.
  void add(std::string_view group, std::vector<appmetrics::Family> families);

  const std::vector<Family>& families() const noexcept { return families_; }

 private:
  Family* family_or_null(const appmetrics::Family& family);

  std::vector<Family> families_;
  std::set<std::string> names_;  // that their samples have
};

}  // namespace pyhost::metrics
