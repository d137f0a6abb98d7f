#include "apache/record_split.h"

#include <gmock/gmock.h>

#include <string>

namespace pyhost::apache {
namespace {

using testing::ElementsAre;

TEST(RecordSplit, LeavesAShortTextWhole) {
  EXPECT_THAT(split_record("one\ntwo\n", 100), ElementsAre("one\ntwo\n"));
  EXPECT_THAT(split_record("", 100), ElementsAre(""));
}

TEST(RecordSplit, CutsAtLineEnds) {
  EXPECT_THAT(split_record("first\nsecond\nthird", 15), ElementsAre("first\nsecond", "third"));
}

TEST(RecordSplit, CutsInsideALineThatIsTooLong) {
  EXPECT_THAT(split_record("abcdefghij\nk", 4), ElementsAre("abcd", "efgh", "ij", "k"));
}

TEST(RecordSplit, CountsBytesAsHttpdEscapesThem) {
  EXPECT_THAT(split_record("\xc3\xbc\xc3\xbc", 8), ElementsAre("\xc3\xbc", "\xc3\xbc"));
  EXPECT_THAT(split_record("a\\b", 3), ElementsAre("a\\", "b"));
}

TEST(RecordSplit, LosesNothing) {
  std::string text;
  for (int line = 0; line < 500; ++line) text += "line " + std::to_string(line) + "\n";
  std::string joined;
  for (const auto piece : split_record(text, 100)) {
    EXPECT_LE(piece.size(), 100u);
    if (!joined.empty()) joined += '\n';
    joined += piece;
  }
  EXPECT_EQ(joined, text);
}

}  // namespace
}  // namespace pyhost::apache
