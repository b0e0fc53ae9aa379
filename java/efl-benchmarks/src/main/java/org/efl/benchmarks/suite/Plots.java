package org.efl.benchmarks.suite;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;

/** The results as pictures: groups of bars, a bar for each system. */
final class Plots {
  private static final List<Plot> ALL =
      List.of(
          new Plot(
              "throughput",
              "Throughput of 64 MiB tensors",
              false,
              List.of("throughput_plain", "throughput_tls")),
          new Plot("roundtrip-plain", "Round trip, median, plaintext", true, roundTrips("plain")),
          new Plot("roundtrip-tls", "Round trip, median, TLS", true, roundTrips("tls")),
          new Plot(
              "far", "One tensor at a round trip of 50 ms", false, List.of("throughput_rtt50")),
          new Plot("steps", "Training steps", true, List.of("steps_rtt0", "steps_rtt50")));

  private Plots() {}

  private static List<String> roundTrips(String security) {
    return List.of("64b", "4k", "64k", "1m").stream()
        .map(size -> "roundtrip_p50_" + size + "_" + security)
        .toList();
  }

  /** Writes those that there are figures for; returns the names of the files. */
  static List<String> write(Results results, Path directory) throws IOException {
    List<String> files = new ArrayList<>();
    for (Plot plot : ALL) {
      List<String> cases = plot.cases().stream().filter(results.cases()::contains).toList();
      if (!cases.isEmpty()) {
        String file = plot.file() + ".svg";
        VectorGraphicsEncoder.saveVectorGraphic(
            chart(plot, cases, results),
            directory.resolve(plot.file()).toString(),
            VectorGraphicsFormat.SVG);
        files.add(file);
      }
    }
    return files;
  }

  private static CategoryChart chart(Plot plot, List<String> cases, Results results) {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(900)
            .height(420)
            .theme(ChartTheme.GGPlot2)
            .title(plot.title())
            .yAxisTitle(unit(cases, results))
            .build();
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    chart.getStyler().setYAxisLogarithmic(plot.logarithmic());
    for (String system : systems(cases, results)) {
      List<Double> values = new ArrayList<>();
      for (String caseName : cases) {
        Optional<Result> result = results.find(caseName, system);
        values.add(result.map(Result::value).orElse(null));
      }
      chart.addSeries(system, cases, values);
    }
    return chart;
  }

  private static String unit(List<String> cases, Results results) {
    return results.all().stream()
        .filter(result -> cases.contains(result.caseName()))
        .map(Result::unit)
        .findFirst()
        .orElseThrow();
  }

  private static Set<String> systems(List<String> cases, Results results) {
    Set<String> systems = new LinkedHashSet<>();
    for (Result result : results.all()) {
      if (cases.contains(result.caseName())) {
        systems.add(result.system());
      }
    }
    return systems;
  }

  private record Plot(String file, String title, boolean logarithmic, List<String> cases) {}
}
