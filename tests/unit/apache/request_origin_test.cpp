// Who is believed about where a request came from, in tables.

#include "apache/request/request_origin.h"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <vector>

namespace pyhost::apache {
namespace {

using settings::kForwardedHeaders;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Headers = std::map<std::string_view, std::string_view>;  // as a client sends them
using Names = std::set<std::string_view>;

class Proxies {
 public:
  Proxies(std::initializer_list<std::string_view> texts) {
    for (const auto text : texts) networks_.push_back(*base::parse_ip_network(text));
  }
  std::optional<settings::NetworkList> list() const { return settings::NetworkList{networks_}; }

 private:
  std::vector<base::IpNetwork> networks_;
};

std::size_t number_of(std::string_view name) {
  for (std::size_t i = 0; i < kForwardedHeaderCount; ++i) {
    if (kForwardedHeaders[i].name == name) return i;
  }
  ADD_FAILURE() << "no header " << name;
  return 0;
}

settings::ForwardedHeaderList list_of(std::initializer_list<std::string_view> names) {
  settings::ForwardedHeaderList list;
  for (const auto name : names) add_header(list, name);
  return list;
}

ForwardedValues values_of(const Headers& headers) {
  ForwardedValues values;
  for (const auto& [name, value] : headers) values[number_of(name)] = value;
  return values;
}

// Those of the request's headers that the application does not see.
Names withheld(const RequestOrigin& origin, const Headers& headers) {
  Names names;
  for (const auto& [name, value] : headers) {
    if (origin.withheld[number_of(name)]) names.insert(name);
  }
  return names;
}

constexpr std::string_view kPeer = "10.0.0.1";

RequestOrigin ask(const std::optional<settings::NetworkList>& proxies,
                  std::initializer_list<std::string_view> asked, const ForwardedValues& values,
                  std::string_view peer = kPeer) {
  return find_origin(proxies, list_of(asked), peer, values);
}

// --- X-Forwarded-For -----------------------------------------------------------------------------

struct Chain {
  std::string_view sent;
  std::optional<std::string_view> client;
  std::optional<std::string_view> chain;
};

void PrintTo(const Chain& chain, std::ostream* out) {
  *out << '"' << chain.sent << '"';
}

class TrustedChain : public testing::TestWithParam<Chain> {};

TEST_P(TrustedChain, IsReadFromItsEnd) {
  const Proxies proxies{"10.0.0.0/8", "fd00::/8"};
  const ForwardedValues values = values_of({{"X-Forwarded-For", GetParam().sent}});
  const auto origin = ask(proxies.list(), {"X-Forwarded-For"}, values);
  EXPECT_EQ(origin.client, GetParam().client);
  EXPECT_EQ(origin.chain, GetParam().chain);
}

INSTANTIATE_TEST_SUITE_P(
    Chains, TrustedChain,
    testing::Values(Chain{"1.1.1.1", "1.1.1.1", "1.1.1.1"},
                    Chain{"1.1.1.1, 10.0.0.2", "1.1.1.1", "1.1.1.1, 10.0.0.2"},
                    Chain{"6.6.6.6, 1.1.1.1, 10.0.0.3, 10.0.0.2", "1.1.1.1",
                          "1.1.1.1, 10.0.0.3, 10.0.0.2"},
                    Chain{"10.0.0.9, 6.6.6.6, 1.1.1.1", "1.1.1.1", "1.1.1.1"},
                    Chain{"10.0.0.3, 10.0.0.2", "10.0.0.3", "10.0.0.3, 10.0.0.2"},
                    Chain{"2001:db8::1,FD00::2", "2001:db8::1", "2001:db8::1, FD00::2"},
                    Chain{"1.1.1.1, , ,10.0.0.2,,", "1.1.1.1", "1.1.1.1, 10.0.0.2"},
                    Chain{" ,\t1.1.1.1\t", "1.1.1.1", "1.1.1.1"},
                    // What is no address is not trusted, and nobody looks for one of that name.
                    Chain{"6.6.6.6, unknown, 10.0.0.2", "unknown", "unknown, 10.0.0.2"},
                    Chain{"6.6.6.6, localhost", "localhost", "localhost"},
                    Chain{"6.6.6.6, 10.0.0.2:80", "10.0.0.2:80", "10.0.0.2:80"},
                    Chain{"", std::nullopt, std::nullopt},
                    Chain{" , ,", std::nullopt, std::nullopt}));

class AnybodysChain : public testing::TestWithParam<Chain> {};

TEST_P(AnybodysChain, BeginsWithTheClient) {
  const ForwardedValues values = values_of({{"X-Forwarded-For", GetParam().sent}});
  const auto origin = ask({}, {"X-Forwarded-For"}, values);
  EXPECT_EQ(origin.client, GetParam().client);
  EXPECT_EQ(origin.chain, std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Chains, AnybodysChain,
                         testing::Values(Chain{"1.1.1.1", "1.1.1.1", {}},
                                         Chain{"1.1.1.1, 10.0.0.2", "1.1.1.1", {}},
                                         Chain{", ,unknown, 10.0.0.2", "unknown", {}},
                                         Chain{",", {}, {}}));

// --- Who is trusted ------------------------------------------------------------------------------

// One header of each kind, and what it comes to.
struct Kind {
  std::string_view header;
  std::string_view value;
  std::optional<std::string_view> RequestOrigin::*member;
};

constexpr Kind kKinds[]{
    {"X-Forwarded-For", "1.1.1.1", &RequestOrigin::client},
    {"X-Client-IP", "1.1.1.1", &RequestOrigin::client},
    {"X-Real-IP", "1.1.1.1", &RequestOrigin::client},
    {"X-Forwarded-Host", "shop.example", &RequestOrigin::host},
    {"X-Host", "shop.example", &RequestOrigin::host},
    {"X-Forwarded-Server", "front.example", &RequestOrigin::server},
    {"X-Forwarded-Port", "8443", &RequestOrigin::port},
    {"X-Script-Name", "/shop", &RequestOrigin::mount_point},
    {"X-Forwarded-Script-Name", "/shop", &RequestOrigin::mount_point},
};

TEST(Trust, TakesEachHeaderFromATrustedPeer) {
  const Proxies proxies{"10.0.0.0/8"};
  for (const Kind& kind : kKinds) {
    const ForwardedValues values = values_of({{kind.header, kind.value}});
    EXPECT_EQ(ask(proxies.list(), {kind.header}, values).*kind.member, kind.value) << kind.header;
    EXPECT_EQ(ask({}, {kind.header}, values).*kind.member, kind.value) << kind.header;
    EXPECT_EQ(ask(proxies.list(), {kind.header}, values, "::ffff:10.0.0.1").*kind.member,
              kind.value)
        << kind.header;
  }
}

TEST(Trust, TakesNothingFromAnybodyElse) {
  const Proxies proxies{"10.0.0.0/8"};
  for (const Kind& kind : kKinds) {
    const Headers headers{{kind.header, kind.value}};
    for (const std::string_view peer : {"192.0.2.1", "2001:db8::1", "localhost", ""}) {
      const auto origin = ask(proxies.list(), {kind.header}, values_of(headers), peer);
      EXPECT_EQ(origin.*kind.member, std::nullopt) << kind.header << " of " << peer;
      EXPECT_THAT(withheld(origin, headers), UnorderedElementsAre(kind.header));
    }
    const Proxies nobody{};
    EXPECT_EQ(ask(nobody.list(), {kind.header}, values_of(headers)).*kind.member, std::nullopt);
  }
}

TEST(Trust, TakesNoHeaderThatIsNotAskedFor) {
  const Headers headers{{"X-Real-IP", "1.1.1.1"}, {"X-Forwarded-Host", "shop.example"}};
  const auto origin = ask({}, {"X-Forwarded-Port"}, values_of(headers));
  EXPECT_EQ(origin.client, std::nullopt);
  EXPECT_EQ(origin.host, std::nullopt);
  EXPECT_THAT(withheld(origin, headers), IsEmpty());
}

// --- Synonyms ------------------------------------------------------------------------------------

TEST(Synonyms, OfATrustedHeaderAreWithheld) {
  const Proxies proxies{"10.0.0.0/8"};
  const Headers headers{{"X-Forwarded-For", "1.1.1.1"},
                        {"X-Client-IP", "6.6.6.6"},
                        {"X-Real-IP", "6.6.6.6"},
                        {"X-Host", "evil.example"}};
  const auto origin = ask(proxies.list(), {"X-Forwarded-For"}, values_of(headers));
  EXPECT_EQ(origin.client, "1.1.1.1");
  EXPECT_THAT(withheld(origin, headers), UnorderedElementsAre("X-Client-IP", "X-Real-IP"));
}

TEST(Synonyms, OfAPeerThatIsNotTrustedAreWithheldToo) {
  const Proxies proxies{"10.0.0.0/8"};
  const Headers headers{{"X-Scheme", "https"}, {"X-HTTPS", "1"}, {"X-Forwarded-Port", "1"}};
  const auto origin = ask(proxies.list(), {"X-Forwarded-Proto"}, values_of(headers), "192.0.2.1");
  EXPECT_EQ(origin.https, std::nullopt);
  EXPECT_THAT(withheld(origin, headers), UnorderedElementsAre("X-Scheme", "X-HTTPS"));
}

TEST(Synonyms, AreWithheldWhenTheTrustedHeaderIsMissing) {
  const Headers headers{{"X-Real-IP", "6.6.6.6"}};
  const auto origin = ask({}, {"X-Forwarded-For"}, values_of(headers));
  EXPECT_EQ(origin.client, std::nullopt);
  EXPECT_THAT(withheld(origin, headers), UnorderedElementsAre("X-Real-IP"));
}

TEST(Synonyms, CountInTheOrderOfTheList) {
  const Proxies proxies{"10.0.0.0/8"};
  const Headers headers{{"X-Forwarded-For", "1.1.1.1, 10.0.0.2"}, {"X-Real-IP", "2.2.2.2"}};
  const auto last = ask(proxies.list(), {"X-Forwarded-For", "X-Real-IP"}, values_of(headers));
  EXPECT_EQ(last.client, "2.2.2.2");
  EXPECT_EQ(last.chain, std::nullopt);
  EXPECT_THAT(withheld(last, headers), UnorderedElementsAre("X-Forwarded-For"));
  const auto first = ask(proxies.list(), {"x-real-ip", "X-FORWARDED-FOR"}, values_of(headers));
  EXPECT_EQ(first.client, "1.1.1.1");
  EXPECT_THAT(withheld(first, headers), UnorderedElementsAre("X-Real-IP"));
  const auto again =
      ask(proxies.list(), {"X-Real-IP", "X-Forwarded-For", "X-Real-IP"}, values_of(headers));
  EXPECT_EQ(again.client, "2.2.2.2");
}

TEST(Synonyms, ThatSayNothingGiveWayToOthers) {
  const Headers headers{{"X-Real-IP", "2.2.2.2"}, {"X-Client-IP", " "}, {"X-Scheme", "gopher"}};
  const auto origin = ask({}, {"X-Real-IP", "X-Client-IP", "X-Scheme"}, values_of(headers));
  EXPECT_EQ(origin.client, "2.2.2.2");
  EXPECT_EQ(origin.https, std::nullopt);
  EXPECT_THAT(withheld(origin, headers), UnorderedElementsAre("X-Client-IP", "X-Scheme"));
}

// --- The scheme ----------------------------------------------------------------------------------

TEST(Scheme, IsANameOrAFlag) {
  const struct {
    std::string_view header;
    std::string_view value;
    std::optional<bool> https;
  } cases[]{
      {"X-Forwarded-Proto", "https", true},
      {"X-Forwarded-Scheme", "HTTPS", true},
      {"X-Scheme", "http", false},
      {"X-Forwarded-Proto", "wss", {}},
      {"X-Forwarded-Proto", "on", {}},
      {"X-Forwarded-HTTPS", "On", true},
      {"X-Forwarded-SSL", "true", true},
      {"X-HTTPS", "1", true},
      {"X-Forwarded-HTTPS", "off", false},
      {"X-Forwarded-SSL", "FALSE", false},
      {"X-HTTPS", "0", false},
      {"X-HTTPS", "https", {}},
      {"X-HTTPS", "", {}},
      {"X-Forwarded-Proto", " https ", true},
  };
  for (const auto& each : cases) {
    const ForwardedValues values = values_of({{each.header, each.value}});
    EXPECT_EQ(ask({}, {each.header}, values).https, each.https)
        << each.header << ": " << each.value;
  }
}

TEST(Table, HasTheEnvironKeyOfEachName) {
  for (std::size_t i = 0; i < kForwardedHeaderCount; ++i) {
    std::string key = "HTTP_";
    for (const char c : kForwardedHeaders[i].name) {
      key += c == '-' ? '_' : static_cast<char>(std::toupper(c));
    }
    EXPECT_EQ(kForwardedHeaders[i].key, key);
    EXPECT_EQ(settings::find_forwarded_key(key), i);
  }
  EXPECT_EQ(settings::find_forwarded_key("HTTP_X_OTHER"), std::nullopt);
  EXPECT_EQ(settings::find_forwarded_key("REMOTE_ADDR"), std::nullopt);
}

}  // namespace
}  // namespace pyhost::apache
