#include "stats/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace sluice::stats {
namespace {

Bins bins_of(std::initializer_list<uint64_t> values) {
  HistogramCells cells;
  for (const uint64_t value : values) {
    cells.record(value);
  }
  Bins out;
  out.add(cells);
  return out;
}

TEST(Histogram, BinsHoldTwoSignificantDigits) {
  EXPECT_EQ(bin_of(0), 0);
  for (const uint64_t value : {1, 9, 10, 42, 99, 100, 101, 109, 110, 999, 1000, 123456}) {
    const uint16_t bin = bin_of(value);
    EXPECT_LE(bin_lower(bin), static_cast<double>(value) * (1 + 1e-12)) << value;  // 1.1 * 100 is above 110
    EXPECT_GT(bin_lower(bin) + bin_width(bin), static_cast<double>(value)) << value;
  }
  EXPECT_EQ(bin_of(100), bin_of(109));
  EXPECT_NE(bin_of(109), bin_of(110));
  EXPECT_DOUBLE_EQ(bin_lower(bin_of(129)), 120);
  EXPECT_DOUBLE_EQ(bin_width(bin_of(129)), 10);
  EXPECT_DOUBLE_EQ(bin_lower(bin_of(5)), 5);
  EXPECT_DOUBLE_EQ(bin_width(bin_of(5)), 0.1);
}

TEST(Histogram, TheLargestValueHasABin) {
  EXPECT_EQ(bin_of(UINT64_MAX), 1 + 19 * 90 + (18 - 10));
  EXPECT_EQ(bins_of({UINT64_MAX}).count(), 1u);
}

// Three of 6 and one of 1, then twenty values over many bins: what Envoy 1.40 showed for them.
TEST(Histogram, QuantilesAsEnvoyShowsThem) {
  EXPECT_THAT(bins_of({6, 1, 6, 6}).quantiles(kQuantiles),
              testing::Pointwise(testing::DoubleNear(1e-9), {1.05, 1.05, 6.025, 6.05, 6.075, 6.075, 6.075, 6.075, 6.075, 6.075}));
  const Bins bins = bins_of({0, 1, 4, 21, 22, 23, 47, 48, 61, 104, 105, 106, 107, 108, 152, 153, 154, 205, 215, 216});
  EXPECT_THAT(bins.quantiles(kQuantiles),
              testing::Pointwise(testing::DoubleNear(1e-9), {0.0, 22.5, 101.66666666666667, 152.5, 205.0, 213.33333333333334,
                                                             216.66666666666666, 216.66666666666666, 216.66666666666666,
                                                             216.66666666666666}));
  EXPECT_NEAR(bins.sum(), 1853.0202850927225881, 1e-9);
  EXPECT_EQ(bins.count_upto(1), 2u);
  EXPECT_EQ(bins.count_upto(20), 3u);
  EXPECT_EQ(bins.count_upto(99), 9u);
  EXPECT_EQ(bins.count_upto(100), 14u);
  EXPECT_EQ(bins.count_upto(200), 18u);
  EXPECT_EQ(bins.count_upto(230), 20u);
}

TEST(Histogram, NothingRecordedGivesNoNumber) {
  for (const double quantile : Bins().quantiles(kQuantiles)) {
    EXPECT_TRUE(std::isnan(quantile));
  }
  EXPECT_EQ(Bins().sum(), 0);
}

// admin/histogram_text: two values of 2, bounds 1, 2 and 5.
TEST(Histogram, ABoundTakesTheBinThatBeginsAtIt) {
  const Bins bins = bins_of({2, 2});
  EXPECT_EQ(bins.count_upto(1), 0u);
  EXPECT_EQ(bins.count_upto(2), 2u);
  EXPECT_EQ(bins.count_upto(5), 2u);
}

TEST(Histogram, MinusLeavesWhatIsNew) {
  HistogramCells cells;
  cells.record(3);
  Bins before;
  before.add(cells);
  cells.record(3);
  cells.record(70);
  Bins after;
  after.add(cells);
  EXPECT_THAT(after.minus(before).counts(), testing::ElementsAre(testing::Pair(bin_of(3), 1), testing::Pair(bin_of(70), 1)));
  EXPECT_TRUE(after.minus(after).empty());
}

}  // namespace
}  // namespace sluice::stats
