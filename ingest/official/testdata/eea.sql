-- Made with DuckDB: node export/clients/duckdb.mjs "$(grep -v '^--' ingest/official/testdata/eea.sql)"
COPY (
  SELECT * FROM (VALUES
    ('DE/SPO.DE_DENW211_PM2_dataGroup1', 6001, TIMESTAMP '2026-05-01 00:00:00', TIMESTAMP '2026-05-01 01:00:00', 7.4::DECIMAL(38,18), 'ug.m-3', 'hour', 1, 3),
    ('DE/SPO.DE_DENW211_PM2_dataGroup1', 6001, TIMESTAMP '2026-05-01 01:00:00', TIMESTAMP '2026-05-01 02:00:00', -0.5::DECIMAL(38,18), 'ug.m-3', 'hour', 2, 3),
    ('DE/SPO.DE_DENW211_PM2_dataGroup1', 6001, TIMESTAMP '2026-05-01 02:00:00', TIMESTAMP '2026-05-01 03:00:00', 99::DECIMAL(38,18), 'ug.m-3', 'hour', -1, 3),
    ('DE/SPO.DE_DENW211_PM2_dataGroup1', 6001, TIMESTAMP '2026-05-01 03:00:00', TIMESTAMP '2026-05-01 04:00:00', NULL, 'ug.m-3', 'hour', 1, 3),
    ('DE/SPO.DE_DENW211_CO_dataGroup1', 10, TIMESTAMP '2026-05-01 00:00:00', TIMESTAMP '2026-05-01 01:00:00', 0.21::DECIMAL(38,18), 'mg.m-3', 'hour', 1, 3),
    ('DE/SPO.DE_DENW211_NO2_dataGroup1', 8, TIMESTAMP '2026-05-01 00:00:00', TIMESTAMP '2026-05-02 00:00:00', 31::DECIMAL(38,18), 'ug.m-3', 'day', 1, 3),
    ('DE/SPO.DE_DENW211_C6H6_dataGroup1', 20, TIMESTAMP '2026-05-01 00:00:00', TIMESTAMP '2026-05-01 01:00:00', 1::DECIMAL(38,18), 'ug.m-3', 'hour', 1, 3),
    ('DE/SPO.DE_DEXX001_PM2_dataGroup1', 6001, TIMESTAMP '2026-05-01 00:00:00', TIMESTAMP '2026-05-01 01:00:00', 5::DECIMAL(38,18), 'ug.m-3', 'hour', 1, 3)
  ) AS t(Samplingpoint, Pollutant, "Start", "End", Value, Unit, AggType, Validity, Verification)
) TO 'ingest/official/testdata/eea.parquet' (FORMAT parquet)
