# SPDX-License-Identifier: BSD-2-Clause
#
# The documentation as a site of its own: one page a file, no request to
# anywhere else.

DOCS	:= $(sort $(wildcard docs/*.md))
DOC_PAGES := $(filter-out index,$(DOCS:docs/%.md=%))
SITE	:= $(BUILD)/site
SITE_OUT := $(DOCS:docs/%.md=$(SITE)/%.html) $(SITE)/style.css \
	$(patsubst docs/%,$(SITE)/%,$(wildcard docs/performance/*.svg))

$(SITE)/%.html: docs/%.md docs/template.html docs/page.lua docs/docs.mk
	$(call say,DOC,$@)
	@mkdir -p $(@D)
	$(Q)pandoc -f gfm -t html5 --template docs/template.html \
		--lua-filter docs/page.lua $(DOC_PAGES:%=-V page=%) \
		-V version=$(VERSION) \
		--metadata pagetitle="$$(sed -n 's/^# //p;T;q' $<)" -o $@ $<

$(SITE)/style.css: docs/style.css
	@mkdir -p $(@D)
	@cp $< $@

$(SITE)/%.svg: docs/%.svg
	@mkdir -p $(@D)
	@cp $< $@

site: $(SITE_OUT)
	@:
.PHONY: site
