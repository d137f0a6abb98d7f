// pyhost-reference [--write]: compares the generated pages in the source tree with what the tables
// say now, or writes them.
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "settings/reference.h"

namespace {

struct Page {
  const char* path;
  std::string (*render)();
};

constexpr Page kPages[] = {
    {"docs/DIRECTIVES.md", pyhost::settings::directives_page},
    {"docs/MESSAGES.md", pyhost::settings::messages_page},
    {"docs/PROCESS_GROUPS.md", pyhost::settings::process_groups_page},
    {"conf/reference.conf", pyhost::settings::reference_conf},
};

std::string path_of(const Page& page) {
  return fmt::format("{}/{}", PROJECT_FOLDER, page.path);
}

bool write(const Page& page) {
  std::ofstream file(path_of(page), std::ios::binary | std::ios::trunc);
  file << page.render();
  return file.flush().good();
}

bool is_current(const Page& page) {
  std::ifstream file(path_of(page), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {}) == page.render();
}

}  // namespace

int main(int argc, char** argv) {
  const bool writing = argc == 2 && std::string_view(argv[1]) == "--write";
  bool good = true;
  for (const Page& page : kPages) {
    if (writing ? write(page) : is_current(page)) continue;
    fmt::print("{} {}\n", page.path,
               writing ? std::string("cannot be written")
                       : fmt::format("is not what the tables say; run {} --write", argv[0]));
    good = false;
  }
  return good ? 0 : 1;
}
