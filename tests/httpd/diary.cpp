#include "httpd/diary.h"

#include <fstream>

namespace pyhost::test {

Diary Diary::read(const std::string& file) {
  Diary diary;
  std::ifstream in(file);
  std::string event;
  std::string id;
  while (in >> event >> id) {
    (event == "begun" ? diary.begun : diary.ended).insert(id);
    if (event == "begun") diary.in_order.push_back(id);
  }
  return diary;
}

std::multiset<std::string> Diary::repeated() const {
  std::multiset<std::string> more_than_once;
  for (const std::string& id : begun) {
    if (begun.count(id) > 1) more_than_once.insert(id);
  }
  return more_than_once;
}

}  // namespace pyhost::test
