// Reads {"defaults": a panel's field defaults, "values": [...]} from standard input; prints what Grafana's own
// code shows for each value, for an answer without rows, and the ids of all units that it knows.
globalThis.navigator = { language: "en", languages: ["en"] }; // it is made for browsers
const { FieldType, createTheme, getDisplayProcessor, getFieldDisplayValues, getValueFormats, toDataFrame } =
  require("@grafana/data");

const { defaults, values } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const theme = createTheme();
// Grafana reads the first threshold's null as minus infinity when it loads a dashboard
const steps = defaults.thresholds.steps.map((step) => ({ ...step, value: step.value ?? -Infinity }));
const config = { ...defaults, thresholds: { ...defaults.thresholds, steps } };

function shown(rows) {
  const frame = toDataFrame({ fields: [{ name: "anomalies", type: FieldType.number, values: rows, config }] });
  frame.fields[0].display = getDisplayProcessor({ field: frame.fields[0], theme });
  const [first] = getFieldDisplayValues({
    fieldConfig: { defaults: config, overrides: [] },
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
    replaceVariables: (text) => text,
    theme,
    data: rows.length ? [frame] : [],
  });
  return { text: first.display.text, color: first.display.color };
}

const colors = Object.fromEntries(
  ["transparent", "orange", "red", "purple"].map((name) => [name, theme.visualization.getColorByName(name)]),
);
process.stdout.write(
  JSON.stringify({
    colors,
    values: values.map((value) => shown([value])),
    none: shown([]),
    units: getValueFormats().flatMap((group) => group.submenu.map((unit) => unit.value)),
  }),
);
