// What the applications of a process group have measured, for whoever shows it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "appmetrics/memory.h"
#include "appmetrics/record.h"

namespace pyhost::appmetrics {

// How many values were above the bound before and not above this one; the last one is infinite. How
// many there were in all, is the sum.
struct Distribution {
  std::vector<double> bounds;
  std::vector<double> numbers;
  double sum = 0;
};

struct Summary {
  double count = 0;
  double sum = 0;
};

struct Sample {
  std::vector<std::string> values;  // of the labels; any bytes
  std::variant<double, Distribution, Summary> value;
};

struct Family {
  Kind kind;
  std::string name;  // a counter's without _total
  std::string help;  // any bytes
  std::vector<std::string> labels;
  std::vector<Sample> samples;  // by their values
};

struct Reading {
  std::vector<Family> families;  // by their names, each of which is there once
  std::uint64_t dropped = 0;     // writes
};

// Believes nothing of what is in the memory: whatever is there, it is read in bounded time, what is
// no metric is passed over, and what comes out can be written in the text formats in a bounded
// number of bytes. Of several families of one name it is the one that a process has asked for last.
Reading read(const Memory& memory);

}  // namespace pyhost::appmetrics
