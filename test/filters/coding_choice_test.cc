// One coding for a response, of what the client accepts and the compressors of the chain offer. The cases
// filters/compressor/* say the same of the whole filter; here are the corners of accept-encoding.
#include "filters/http/compressor/coding_choice.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::filters::compressor {
namespace {

using http::Coding;

std::string chosen(std::string_view accept_encoding, bool brotli_first = false) {
  CodingOffers offers;
  offers.add({Coding::kZstd, false});
  offers.add({Coding::kBrotli, brotli_first});
  offers.add({Coding::kGzip, false});
  offers.add({Coding::kZstd, true});  // a second one of a coding says nothing
  const CodingChoice choice = choose_coding(accept_encoding, offers);
  switch (choice.verdict) {
    case Verdict::kIdentity:
      return "identity";
    case Verdict::kNotValid:
      return "none";
    case Verdict::kWildcard:
      return "*" + std::string(name_of(choice.coding));
    case Verdict::kCompressor:
      return std::string(name_of(choice.coding));
  }
  return {};
}

TEST(CodingChoice, QualityThenTheClientsOrder) {
  EXPECT_EQ(chosen("gzip, br, zstd"), "gzip");
  EXPECT_EQ(chosen("gzip;q=0.5, br;q=0.8, zstd;q=0.7"), "br");
  EXPECT_EQ(chosen(" br ; Q=0.9 , gzip ; q=0.95"), "gzip");
  EXPECT_EQ(chosen("identity, gzip"), "identity");
  EXPECT_EQ(chosen("identity;q=0.4, gzip;q=0.5"), "gzip");
}

TEST(CodingChoice, ChooseFirstGoesBeforeEquals) {
  EXPECT_EQ(chosen("gzip, br, zstd", true), "br");
  EXPECT_EQ(chosen("identity, br", true), "br");
  EXPECT_EQ(chosen("gzip, br;q=0.9", true), "gzip");
  EXPECT_EQ(chosen("br;q=0", true), "none");
}

TEST(CodingChoice, AStarTakesTheFirstThatIsNotForbidden) {
  EXPECT_EQ(chosen("*"), "*zstd");
  EXPECT_EQ(chosen("zstd;q=0, *;q=0.1"), "*br");
  EXPECT_EQ(chosen("zstd;q=0, br;q=0, gzip;q=0, *"), "none");
  EXPECT_EQ(chosen("zstd;q=0, br;q=0, gzip;q=0, identity"), "none");
}

TEST(CodingChoice, WhatIsNoQualityIsPassedOver) {
  EXPECT_EQ(chosen(""), "none");
  EXPECT_EQ(chosen(",;,=,;q"), "none");
  EXPECT_EQ(chosen("br;q=x, gzip;q=0.1"), "gzip");
  EXPECT_EQ(chosen("br;q=0.5x, gzip;q=0.1"), "gzip");
  EXPECT_EQ(chosen("br;q=-1, gzip;q=nan"), "none");
  EXPECT_EQ(chosen("gzip;level=9"), "gzip");
  EXPECT_EQ(chosen("GZIP, deflate"), "none");
}

TEST(CodingChoice, WithoutOffersNothingIsValid) { EXPECT_EQ(choose_coding("gzip, *", {}).verdict, Verdict::kNotValid); }

}  // namespace
}  // namespace sluice::filters::compressor
