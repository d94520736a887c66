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

// What Envoy 1.40 showed for two connections of two requests: the bin of 2 is [2.0, 2.1).
TEST(Histogram, QuantilesAsEnvoyShowsThem) {
  const Bins bins = bins_of({2, 2});
  const std::vector<double> quantiles = bins.quantiles(kQuantiles);
  ASSERT_EQ(quantiles.size(), kQuantiles.size());
  EXPECT_DOUBLE_EQ(quantiles.front(), 2.0);
  EXPECT_DOUBLE_EQ(quantiles[2], 2.05);
  EXPECT_DOUBLE_EQ(quantiles.back(), 2.1);
  EXPECT_DOUBLE_EQ(bins.sum(), 4.1);
}

TEST(Histogram, QuantilesOverSeveralBins) {
  const std::vector<double> quantiles = bins_of({1, 20, 20, 300}).quantiles(std::array{0.0, 0.25, 0.5, 0.75, 1.0});
  EXPECT_THAT(quantiles, testing::ElementsAre(testing::DoubleEq(1), testing::DoubleEq(1.1), testing::DoubleEq(20.5),
                                              testing::DoubleEq(21), testing::DoubleEq(310)));
}

TEST(Histogram, NothingRecordedGivesNoNumber) {
  for (const double quantile : Bins().quantiles(kQuantiles)) {
    EXPECT_TRUE(std::isnan(quantile));
  }
  EXPECT_EQ(Bins().sum(), 0);
}

// A value of 5 stands in [5.0, 5.1), so it is not below 5: recorded in admin/histogram_text with 2 and 1, 2, 5.
TEST(Histogram, CountBelowWantsTheWholeBin) {
  const Bins bins = bins_of({2, 2, 5});
  EXPECT_EQ(bins.count_below(1), 0u);
  EXPECT_EQ(bins.count_below(2), 0u);
  EXPECT_EQ(bins.count_below(2.1), 2u);
  EXPECT_EQ(bins.count_below(5), 2u);
  EXPECT_EQ(bins.count_below(5.5), 3u);
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
