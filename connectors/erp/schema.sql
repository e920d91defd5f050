-- The ERP as it is found: PostgreSQL, short German names, decimals, dates without time.

CREATE TABLE artst (
  artnr  varchar(18) PRIMARY KEY,
  bez    varchar(60) NOT NULL,
  me     char(2) NOT NULL,
  vpe    numeric(9,3) NOT NULL DEFAULT 1,
  aktiv  char(1) NOT NULL DEFAULT 'J',
  angdat date NOT NULL
);
COMMENT ON TABLE artst IS 'Artikelstamm';
COMMENT ON COLUMN artst.me IS 'Mengeneinheit: ST Stueck, KG Kilogramm';
COMMENT ON COLUMN artst.vpe IS 'Verpackungseinheit';

CREATE TABLE artean (
  ean   varchar(14) PRIMARY KEY,
  artnr varchar(18) NOT NULL
);
CREATE INDEX artean_artnr ON artean (artnr);
COMMENT ON TABLE artean IS 'EAN je Artikel, mehrere moeglich';

CREATE TABLE lagst (
  lagnr smallint PRIMARY KEY,
  bez   varchar(40) NOT NULL,
  typ   char(1) NOT NULL,
  filnr int
);
COMMENT ON TABLE lagst IS 'Lagerorte';
COMMENT ON COLUMN lagst.typ IS 'F Filiale, Z Zentrallager';
COMMENT ON COLUMN lagst.filnr IS 'Filialnummer der Kasse';

CREATE TABLE lagbew (
  bewnr  bigserial PRIMARY KEY,
  artnr  varchar(18) NOT NULL,
  lagnr  smallint NOT NULL,
  bewart char(3) NOT NULL,
  menge  numeric(13,3) NOT NULL,
  budat  date NOT NULL,
  belnr  varchar(20),
  belpos int,
  erfnam varchar(12)
);
CREATE INDEX lagbew_artnr ON lagbew (artnr, lagnr);
CREATE INDEX lagbew_belnr ON lagbew (belnr);
COMMENT ON TABLE lagbew IS 'Lagerbewegungen; ihre Summe ist der Bestand';
COMMENT ON COLUMN lagbew.bewart IS
  'ANF Anfangsbestand, WE Wareneingang, WA Warenausgang, UMA/UME Umlagerung aus/ein, SCH Schwund, '
  'KOR Korrektur, RET Kundenretoure, INV Inventurdifferenz, KAS Kassenbuchung';
COMMENT ON COLUMN lagbew.menge IS 'mit Vorzeichen';

CREATE TABLE bestand (
  artnr    varchar(18) NOT NULL,
  lagnr    smallint NOT NULL,
  menge    numeric(13,3) NOT NULL DEFAULT 0,
  gesperrt numeric(13,3) NOT NULL DEFAULT 0,
  PRIMARY KEY (artnr, lagnr)
);
CREATE INDEX bestand_lagnr ON bestand (lagnr);

CREATE TABLE aufkop (
  aufnr int PRIMARY KEY,
  kdnr  int NOT NULL,
  audat date NOT NULL,
  stat  smallint NOT NULL,
  lagnr smallint NOT NULL,
  kanal char(3) NOT NULL
);
COMMENT ON TABLE aufkop IS 'Auftraege, Kopf';
COMMENT ON COLUMN aufkop.stat IS '10 offen, 20 teilgeliefert, 90 geliefert, 99 storniert';
CREATE TABLE aufpos (
  aufnr int NOT NULL,
  posnr int NOT NULL,
  artnr varchar(18) NOT NULL,
  menge numeric(13,3) NOT NULL,
  gelmg numeric(13,3) NOT NULL DEFAULT 0,
  PRIMARY KEY (aufnr, posnr)
);
COMMENT ON COLUMN aufpos.gelmg IS 'gelieferte Menge';

CREATE TABLE bstkop (
  bstnr  int PRIMARY KEY,
  liefnr int NOT NULL,
  bsdat  date NOT NULL,
  ldat   date NOT NULL,
  lagnr  smallint NOT NULL,
  stat   smallint NOT NULL
);
COMMENT ON TABLE bstkop IS 'Bestellungen, Kopf';
COMMENT ON COLUMN bstkop.ldat IS 'Liefertermin';
COMMENT ON COLUMN bstkop.stat IS '10 offen, 20 teilgeliefert, 90 erledigt, 99 storniert';
CREATE TABLE bstpos (
  bstnr int NOT NULL,
  posnr int NOT NULL,
  artnr varchar(18) NOT NULL,
  menge numeric(13,3) NOT NULL,
  wemg  numeric(13,3) NOT NULL DEFAULT 0,
  PRIMARY KEY (bstnr, posnr)
);
COMMENT ON COLUMN bstpos.wemg IS 'eingegangene Menge';

CREATE TABLE umlkop (
  umlnr   int PRIMARY KEY,
  vonlag  smallint NOT NULL,
  nachlag smallint NOT NULL,
  stat    smallint NOT NULL,
  umdat   date NOT NULL
);
COMMENT ON TABLE umlkop IS 'Umlagerungen, Kopf';
COMMENT ON COLUMN umlkop.stat IS '10 geplant, 20 unterwegs, 30 angekommen, 99 storniert';
CREATE TABLE umlpos (
  umlnr int NOT NULL,
  posnr int NOT NULL,
  artnr varchar(18) NOT NULL,
  menge numeric(13,3) NOT NULL,
  abmg  numeric(13,3) NOT NULL DEFAULT 0,
  zumg  numeric(13,3) NOT NULL DEFAULT 0,
  PRIMARY KEY (umlnr, posnr)
);
COMMENT ON COLUMN umlpos.abmg IS 'abgegangene Menge';
COMMENT ON COLUMN umlpos.zumg IS 'zugegangene Menge';

CREATE TABLE invkop (
  invnr  int PRIMARY KEY,
  lagnr  smallint NOT NULL,
  stat   char(1) NOT NULL,
  invdat date NOT NULL
);
COMMENT ON TABLE invkop IS 'Inventuren, Kopf';
COMMENT ON COLUMN invkop.stat IS 'O offen, F fertig gebucht';
CREATE TABLE invpos (
  invnr  int NOT NULL,
  posnr  int NOT NULL,
  artnr  varchar(18) NOT NULL,
  zmenge numeric(13,3) NOT NULL,
  zzeit  timestamp NOT NULL,
  PRIMARY KEY (invnr, posnr)
);
COMMENT ON COLUMN invpos.zmenge IS 'Zaehlmenge';
COMMENT ON COLUMN invpos.zzeit IS 'Zaehlzeit, Ortszeit';

CREATE TABLE rtkop (
  rtnr  int PRIMARY KEY,
  aufnr int,
  rtdat date NOT NULL,
  lagnr smallint NOT NULL,
  stat  smallint NOT NULL
);
COMMENT ON TABLE rtkop IS 'Retouren, Kopf';
COMMENT ON COLUMN rtkop.stat IS '10 angemeldet, 90 eingebucht';
CREATE TABLE rtpos (
  rtnr  int NOT NULL,
  posnr int NOT NULL,
  artnr varchar(18) NOT NULL,
  menge numeric(13,3) NOT NULL,
  zust  char(1) NOT NULL,
  PRIMARY KEY (rtnr, posnr)
);
COMMENT ON COLUMN rtpos.zust IS 'A verkaufsfaehig, B beschaedigt, Q Pruefung';

CREATE TABLE kbkop (
  kbnr  int PRIMARY KEY,
  filnr int NOT NULL,
  budat date NOT NULL,
  stat  char(1) NOT NULL
);
COMMENT ON TABLE kbkop IS 'Kassenbuchung je Nacht und Filiale, Kopf';
COMMENT ON COLUMN kbkop.stat IS 'E in Erfassung, F fertig';
CREATE TABLE kbpos (
  kbnr  int NOT NULL,
  posnr int NOT NULL,
  bonnr varchar(24) NOT NULL,
  artnr varchar(18) NOT NULL,
  menge numeric(13,3) NOT NULL,
  PRIMARY KEY (kbnr, posnr)
);
CREATE INDEX kbpos_bonnr ON kbpos (bonnr);
COMMENT ON COLUMN kbpos.bonnr IS 'Filiale/Kasse/Bonnummer';
COMMENT ON COLUMN kbpos.menge IS '+ verkauft, - zurueckgenommen';

CREATE TABLE lagprot (
  zeit   timestamp NOT NULL,
  erfnam varchar(12),
  text   varchar(200)
);
CREATE INDEX lagprot_zeit ON lagprot (zeit);
COMMENT ON TABLE lagprot IS 'Protokoll';
