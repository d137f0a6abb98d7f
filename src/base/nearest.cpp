#include "base/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/parse.h"

namespace pyhost::base {
namespace {

// How many letters have to be added, taken away, replaced or swapped with their neighbour.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> of(from.size() + 1,
                                           std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) of[i][0] = i;
  for (std::size_t j = 0; j <= to.size(); ++j) of[0][j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const auto same = [&](std::size_t back_from, std::size_t back_to) {
        return ascii_lower(from[i - back_from]) == ascii_lower(to[j - back_to]);
      };
      of[i][j] =
          std::min({of[i - 1][j] + 1, of[i][j - 1] + 1, of[i - 1][j - 1] + (same(1, 1) ? 0 : 1)});
      if (i > 1 && j > 1 && same(1, 2) && same(2, 1)) {
        of[i][j] = std::min(of[i][j], of[i - 2][j - 2] + 1);
      }
    }
  }
  return of[from.size()][to.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view written, std::span<const std::string_view> names) {
  // Longer texts are no names that somebody has typed.
  constexpr std::size_t kNameMax = 64;
  if (written.size() > kNameMax) return "";
  // Of three letters one may be wrong.
  std::size_t nearest = std::max<std::size_t>(1, written.size() / 3) + 1;
  std::string_view found;
  for (const std::string_view name : names) {
    if (name.empty() || name.size() > kNameMax) continue;
    const std::size_t away = distance(written, name);
    if (away < nearest && away < name.size()) {
      nearest = away;
      found = name;
    }
  }
  return found;
}

std::string hint_at_nearest(std::string_view written, std::span<const std::string_view> names) {
  const std::string_view name = nearest_name(written, names);
  return name.empty() ? std::string() : fmt::format(" (the nearest name is '{}')", name);
}

}  // namespace pyhost::base
