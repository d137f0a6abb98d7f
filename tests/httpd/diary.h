// What an application has written down about the requests that it was given.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace pyhost::test {

// The file DIARY of tests/apps/labour.wsgi: the identities of requests, as often as they occur.
struct Diary {
  // What the file holds now.
  static Diary read(const std::string& file);

  std::vector<std::string> in_order;  // of their beginnings
  std::multiset<std::string> begun;
  std::multiset<std::string> ended;

  // The requests that were begun more than once.
  std::multiset<std::string> repeated() const;
};

}  // namespace pyhost::test
