// Renders what a person reads of alerts with the template functions that Grafana uses: Prometheus's for a rule's
// annotations, Alertmanager's for messages. Reads a list of texts from standard input and writes the list of what
// each becomes, as JSON.
package main

import (
	"context"
	"encoding/json"
	"math"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	alertmanager "github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	prometheus "github.com/prometheus/prometheus/template"
)

// Asked is one text and what it is about: an annotation has labels and values, a message has alerts.
type Asked struct {
	Text      string              `json:"text"`
	Labels    map[string]string   `json:"labels"`
	Values    map[string]*float64 `json:"values"` // null: the expression gave no number
	Templates string              `json:"templates"`
	Message   *Message            `json:"message"`
}

// Value is what Grafana gives an annotation for each expression of its rule.
type Value struct {
	Labels map[string]string
	Value  float64
}

func (value Value) String() string { return strconv.FormatFloat(value.Value, 'f', -1, 64) }

// Alert has the fields that Grafana gives a message's template.
type Alert struct {
	Status       string          `json:"status"`
	Labels       alertmanager.KV `json:"labels"`
	Annotations  alertmanager.KV `json:"annotations"`
	StartsAt     time.Time       `json:"startsAt"`
	EndsAt       time.Time       `json:"endsAt"`
	GeneratorURL string          `json:"generatorURL"`
	SilenceURL   string          `json:"silenceURL"`
	DashboardURL string          `json:"dashboardURL"`
	PanelURL     string          `json:"panelURL"`
	Values       map[string]float64
	ValueString  string `json:"valueString"`
}

// Alerts are those of one message.
type Alerts []Alert

// Firing returns the alerts that are not over.
func (alerts Alerts) Firing() []Alert { return alerts.of("firing") }

// Resolved returns the alerts that are over.
func (alerts Alerts) Resolved() []Alert { return alerts.of("resolved") }

func (alerts Alerts) of(status string) []Alert {
	found := []Alert{}
	for _, alert := range alerts {
		if alert.Status == status {
			found = append(found, alert)
		}
	}
	return found
}

// Message is one notification.
type Message struct {
	Receiver          string          `json:"receiver"`
	Status            string          `json:"status"`
	Alerts            Alerts          `json:"alerts"`
	GroupLabels       alertmanager.KV `json:"groupLabels"`
	CommonLabels      alertmanager.KV `json:"commonLabels"`
	CommonAnnotations alertmanager.KV `json:"commonAnnotations"`
	ExternalURL       string          `json:"externalURL"`
}

func message(asked Asked) (string, error) {
	templates, err := alertmanager.New()
	if err != nil {
		return "", err
	}
	if err := templates.Parse(strings.NewReader(asked.Templates)); err != nil {
		return "", err
	}
	return templates.ExecuteTextString(asked.Text, asked.Message)
}

// As Grafana does: a key that is missing becomes "<no value>", which it writes as "[no value]".
func annotation(asked Asked) (string, error) {
	values := map[string]Value{}
	for name, number := range asked.Values {
		value := Value{Labels: asked.Labels, Value: math.NaN()}
		if number != nil {
			value.Value = *number
		}
		values[name] = value
	}
	data := struct {
		Labels map[string]string
		Values map[string]Value
		Value  string
	}{asked.Labels, values, ""}
	nothing := func(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }
	expander := prometheus.NewTemplateExpander(
		context.Background(),
		"{{- $labels := .Labels -}}{{- $values := .Values -}}{{- $value := .Value -}}"+asked.Text,
		"annotation", data, model.Now(), nothing, &url.URL{}, []string{"missingkey=invalid"},
	)
	text, err := expander.Expand()
	return strings.ReplaceAll(text, "<no value>", "[no value]"), err
}

func main() {
	var asked []Asked
	fail(json.NewDecoder(os.Stdin).Decode(&asked))
	written := []string{}
	for _, one := range asked {
		render := annotation
		if one.Message != nil {
			render = message
		}
		text, err := render(one)
		fail(err)
		written = append(written, text)
	}
	fail(json.NewEncoder(os.Stdout).Encode(written))
}

func fail(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
