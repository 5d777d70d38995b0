"""Forms of the province: an empty XLSX form is uploaded, its headings are mapped once, from then on it is filled."""
