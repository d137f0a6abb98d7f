#include "base/locale_coercion.h"

#include <locale.h>

#include <string>

namespace pyhost::base {
namespace {

bool is_installed(int categories, std::string_view name) {
  const locale_t loaded = newlocale(categories, std::string(name).c_str(), nullptr);
  if (loaded == nullptr) return false;
  freelocale(loaded);
  return true;
}

}  // namespace

const char* coerced_ctype(std::string_view lc_all, std::string_view lc_ctype,
                          std::string_view lang) {
  if (!lc_all.empty()) return nullptr;
  const std::string_view wanted = lc_ctype.empty() ? lang : lc_ctype;
  const bool is_c = wanted.empty() || wanted == "C" || wanted == "POSIX";
  if (!is_c && is_installed(LC_CTYPE_MASK, wanted)) return nullptr;
  for (const char* candidate : {"C.UTF-8", "C.utf8"}) {
    if (is_installed(LC_CTYPE_MASK, candidate)) return candidate;
  }
  return nullptr;
}

bool is_installed_locale(std::string_view name) {
  return is_installed(LC_ALL_MASK, name);
}

}  // namespace pyhost::base
