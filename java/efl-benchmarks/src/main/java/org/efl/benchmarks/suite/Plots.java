package org.efl.benchmarks.suite;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;

/** The results as pictures. */
final class Plots {
  private static final int WIDTH = 900;
  private static final int HEIGHT = 420;

  private static final List<Plot> ALL =
      List.of(
          new Bars(
              "throughput",
              "Throughput of 64 MiB tensors",
              List.of("throughput_plain", "throughput_tls")),
          new Lines("roundtrip-plain", "Round trip, median, plaintext", "plain"),
          new Lines("roundtrip-tls", "Round trip, median, TLS", "tls"),
          new Bars("far", "One tensor at a round trip of 50 ms", List.of("throughput_rtt50")),
          new Bars("steps", "Training steps on loopback", List.of("steps_rtt0")),
          new Bars("steps-far", "Training steps at 50 ms", List.of("steps_rtt50")));

  /** The same system looks the same in each of them: this project's in blue, the others not. */
  private static final Map<String, Color> COLORS =
      Map.of(
          "efl-op", new Color(0x08306b),
          "efl-java", new Color(0x2171b5),
          "efl-cpp", new Color(0x6baed6),
          "efl-trainer", new Color(0xbdd7e7),
          "grpc-cpp", new Color(0x238b45),
          "grpc-cpp-land", new Color(0x99d594),
          "grpc-java", new Color(0xd94801),
          "flight-java", new Color(0xfdae6b),
          "tcp", new Color(0x525252),
          "iperf3", new Color(0xb0b0b0));

  private Plots() {}

  private static void style(Styler styler, Set<String> systems) {
    styler.setLegendPosition(LegendPosition.OutsideE);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setPlotBackgroundColor(new Color(0xf4f4f4));
    styler.setSeriesColors(systems.stream().map(COLORS::get).toArray(Color[]::new));
  }

  /** Writes those that there are figures for; returns the names of the files. */
  static List<String> write(Results results, Path directory) throws IOException {
    List<String> files = new ArrayList<>();
    for (Plot plot : ALL) {
      List<String> cases = plot.cases().stream().filter(results.cases()::contains).toList();
      if (!cases.isEmpty()) {
        VectorGraphicsEncoder.saveVectorGraphic(
            plot.chart(cases, results),
            directory.resolve(plot.file()).toString(),
            VectorGraphicsFormat.SVG);
        files.add(plot.file() + ".svg");
      }
    }
    return files;
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

  private interface Plot {
    String file();

    List<String> cases();

    /** A chart of those of its cases that there are figures for. */
    Chart<?, ?> chart(List<String> present, Results results);
  }

  /** A group of bars for each case, in it a bar for each system. */
  private record Bars(String file, String title, List<String> cases) implements Plot {
    @Override
    public Chart<?, ?> chart(List<String> present, Results results) {
      CategoryChart chart =
          new CategoryChartBuilder()
              .width(WIDTH)
              .height(HEIGHT)
              .theme(ChartTheme.GGPlot2)
              .title(title)
              .yAxisTitle(unit(present, results))
              .build();
      Set<String> systems = systems(present, results);
      style(chart.getStyler(), systems);
      chart.getStyler().setAvailableSpaceFill(0.09 * systems.size());
      for (String system : systems) {
        List<Double> values = new ArrayList<>();
        for (String caseName : present) {
          values.add(results.find(caseName, system).map(Result::value).orElse(null));
        }
        chart.addSeries(system, present, values);
      }
      return chart;
    }
  }

  /** A line for each system over the size of the tensor, both axes logarithmic. */
  private record Lines(String file, String title, String security) implements Plot {
    private static final List<String> SIZES = List.of("64b", "4k", "64k", "1m");
    private static final List<Integer> BYTES = List.of(64, 4 << 10, 64 << 10, 1 << 20);

    @Override
    public List<String> cases() {
      return SIZES.stream().map(this::caseOf).toList();
    }

    private String caseOf(String size) {
      return "roundtrip_p50_" + size + "_" + security;
    }

    @Override
    public Chart<?, ?> chart(List<String> present, Results results) {
      XYChart chart =
          new XYChartBuilder()
              .width(WIDTH)
              .height(HEIGHT)
              .theme(ChartTheme.GGPlot2)
              .title(title)
              .xAxisTitle("bytes")
              .yAxisTitle(unit(present, results))
              .build();
      Set<String> systems = systems(present, results);
      style(chart.getStyler(), systems);
      chart.getStyler().setXAxisLogarithmic(true);
      chart.getStyler().setYAxisLogarithmic(true);
      for (String system : systems) {
        addLine(chart, system, results);
      }
      return chart;
    }

    private void addLine(XYChart chart, String system, Results results) {
      List<Integer> bytes = new ArrayList<>();
      List<Double> values = new ArrayList<>();
      for (int i = 0; i < SIZES.size(); i++) {
        Optional<Result> result = results.find(caseOf(SIZES.get(i)), system);
        if (result.isPresent()) {
          bytes.add(BYTES.get(i));
          values.add(result.get().value());
        }
      }
      chart.addSeries(system, bytes, values);
    }
  }
}
