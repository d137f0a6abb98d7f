#include "apache/config/path_patterns.h"

#include <algorithm>
#include <cctype>

#include "base/path_pattern.h"

namespace pyhost::apache {
namespace {

constexpr std::string_view kAnything = "**";

// Without doubled slashes and one at the end.
std::optional<std::string> usable(std::string_view pattern) {
  if (!pattern.starts_with('/')) return std::nullopt;
  std::string path;
  for (const char character : pattern) {
    if (character != '/' || !path.ends_with('/')) path += character;
  }
  while (path.ends_with('/')) path.pop_back();
  const std::string_view first = std::string_view(path).substr(0, path.find('/', 1));
  if (path.empty() || base::is_pattern(first)) return std::nullopt;
  return path;
}

void add_anything(std::string& pattern) {
  if (!pattern.ends_with(kAnything)) pattern += kAnything;
}

// Behind the bracket that closes the one at `open`; the end of the text when none does.
std::size_t behind_class(std::string_view text, std::size_t open) noexcept {
  std::size_t i = open + 1;
  if (i < text.size() && (text[i] == '^' || text[i] == '!')) ++i;
  if (i < text.size() && text[i] == ']') ++i;
  for (; i < text.size() && text[i] != ']'; ++i) {
    if (text[i] == '\\') ++i;
  }
  return std::min(i + 1, text.size());
}

std::size_t behind_closing(std::string_view text, std::size_t open, char closing) noexcept {
  return std::min(text.find(closing, open), text.size() - 1) + 1;
}

// Follows a regular expression as far as it can be followed; the rest of it may be anything.
class Expression {
 public:
  explicit Expression(std::string_view text) : text_(text) {}

  // Whether all of it was followed.
  bool translate(std::string& pattern) {
    while (next_ < text_.size()) {
      if (!translate_atom(pattern)) return false;
    }
    return true;
  }

 private:
  bool at(char character) const noexcept {
    return next_ < text_.size() && text_[next_] == character;
  }

  // Takes ?, *, +, {n,m} and their lazy and possessive forms.
  bool take_quantifier() noexcept {
    const std::size_t start = next_;
    if (at('{')) {
      next_ = behind_closing(text_, next_, '}');
    } else if (at('?') || at('*') || at('+')) {
      ++next_;
    }
    if (next_ == start) return false;
    if (at('?') || at('+')) ++next_;
    return true;
  }

  bool translate_atom(std::string& pattern) {
    const char character = text_[next_];
    switch (character) {
      case '(':
        return translate_group(pattern);
      case '[':
        return translate_class(pattern);
      case '\\':
        return translate_escape(pattern);
      case '.':
        ++next_;
        take_quantifier();
        add_anything(pattern);
        return true;
      case '|':
      case '^':
      case '$':
        return false;
      default:
        ++next_;
        return add_character(character, pattern);
    }
  }

  bool add_character(char character, std::string& pattern) {
    if (!take_quantifier()) {
      pattern += character;
    } else if (character != '/' || next_ != text_.size()) {
      add_anything(pattern);
    }
    return true;
  }

  void add_part_of_component(std::string& pattern) {
    const bool many = take_quantifier();
    if (!many) {
      pattern += '?';
    } else if (!pattern.ends_with('*')) {
      pattern += '*';
    }
  }

  bool translate_class(std::string& pattern) {
    const std::size_t end = behind_class(text_, next_);
    const std::string_view characters = text_.substr(next_, end - next_);
    next_ = end;
    const bool has_slash = characters.find('/') != characters.npos;
    const bool negated = characters.starts_with("[^");
    // A range or a class of its own may have the slash among it without naming it.
    const bool is_plain = std::ranges::all_of(characters, [](unsigned char each) {
      return std::isalnum(each) != 0 || each == '_' || each == '-' || each == '[' || each == ']' ||
             each == '.' || each == '^';
    });
    const bool no_odd_range =
        characters.find("--") == characters.npos && characters.find(".-") == characters.npos;
    if (negated ? has_slash : is_plain && no_odd_range) {
      add_part_of_component(pattern);
    } else {
      take_quantifier();
      add_anything(pattern);
    }
    return true;
  }

  bool translate_escape(std::string& pattern) {
    if (next_ + 1 == text_.size()) return false;
    const char escaped = text_[next_ + 1];
    next_ += 2;
    if (escaped == 'w' || escaped == 'd') {
      add_part_of_component(pattern);
      return true;
    }
    if (std::isalnum(static_cast<unsigned char>(escaped)) != 0) return false;
    return add_character(escaped, pattern);
  }

  // Behind the parenthesis that closes the one at next_.
  std::size_t behind_group() const noexcept {
    unsigned depth = 0;
    for (std::size_t i = next_; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '[') {
        i = behind_class(text_, i) - 1;
      } else if (text_[i] == '(') {
        ++depth;
      } else if (text_[i] == ')' && --depth == 0) {
        return i + 1;
      }
    }
    return text_.size();
  }

  bool translate_group(std::string& pattern) {
    const std::size_t end = behind_group();
    std::string_view inside = text_.substr(next_ + 1, end - next_ - 2);
    next_ = end;
    if (inside.starts_with('?')) {
      const bool named =
          inside.starts_with("?<") && !inside.starts_with("?<=") && !inside.starts_with("?<!");
      if (!named && !inside.starts_with("?:") && !inside.starts_with("?P<")) return false;
      inside.remove_prefix(behind_closing(inside, 0, named || inside[1] == 'P' ? '>' : ':'));
    }
    std::string part;
    const bool followed = Expression(inside).translate(part);
    if (take_quantifier() || !followed) {
      add_anything(pattern);
    } else {
      pattern += part;
    }
    return true;
  }

  std::string_view text_;
  std::size_t next_ = 0;
};

// Whether a $ at the end of an expression means its end.
bool ends_anchored(std::string_view expression) noexcept {
  return expression.ends_with('$') && !expression.ends_with("\\$");
}

}  // namespace

std::optional<std::string> pattern_of_glob(std::string_view glob) {
  std::string pattern;
  for (std::size_t i = 0; i < glob.size(); ++i) {
    if (glob[i] == '[') {
      i = behind_class(glob, i) - 1;
      pattern += '?';
    } else if (glob[i] == '\\' && i + 1 < glob.size()) {
      pattern += glob[++i];
    } else if (glob[i] != '*' || !pattern.ends_with('*')) {
      pattern += glob[i];
    }
  }
  return usable(pattern);
}

std::optional<std::string> pattern_of_expression(std::string_view expression) {
  if (!expression.starts_with('^')) return std::nullopt;
  expression.remove_prefix(1);
  const bool anchored = ends_anchored(expression);
  if (anchored) expression.remove_suffix(1);
  std::string pattern;
  if (!Expression(expression).translate(pattern) || !anchored) add_anything(pattern);
  return usable(pattern);
}

std::optional<std::string> pattern_of_substitution(std::string_view text) {
  std::string pattern;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char following = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\\' && following != '\0') {
      pattern += text[++i];
    } else if ((text[i] == '$' || text[i] == '%') && following == '{') {
      i = behind_closing(text, i, '}') - 1;
      add_anything(pattern);
    } else if ((text[i] == '$' || text[i] == '%') && following >= '0' && following <= '9') {
      ++i;
      add_anything(pattern);
    } else {
      pattern += text[i];
    }
  }
  return usable(pattern);
}

std::optional<std::string> pattern_of_host_folder(std::string_view text) {
  std::string pattern;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      pattern += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '%') {
      pattern += text[++i];
    } else {
      // Numbers of parts: %0, %-1, %2+, %2.1, %-1.-2+; %p is the port.
      i = std::min(text.find_first_not_of("-+.0123456789p", i + 1), text.size()) - 1;
      if (!pattern.ends_with('*')) pattern += '*';
    }
  }
  return usable(pattern);
}

}  // namespace pyhost::apache
