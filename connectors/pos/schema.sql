-- The point-of-sale system as it is found: MariaDB, receipts in each shop's local time, products known by barcode.

CREATE TABLE shop (
  shop_id int NOT NULL PRIMARY KEY,
  name    varchar(60) NOT NULL,
  tz      varchar(40) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE product (
  plu         int NOT NULL PRIMARY KEY,
  barcode     varchar(14) NOT NULL,
  description varchar(60) NOT NULL,
  by_weight   tinyint(1) NOT NULL DEFAULT 0,
  price       decimal(9,2) NOT NULL,
  KEY product_barcode (barcode)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE receipt (
  id          bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  shop_id     int NOT NULL,
  till_no     smallint NOT NULL,
  receipt_no  int NOT NULL,
  sold_at     datetime NOT NULL COMMENT 'local time of the shop',
  uploaded_at timestamp NOT NULL DEFAULT current_timestamp(),
  status      tinyint NOT NULL DEFAULT 1 COMMENT '1 complete, 2 voided',
  total       decimal(11,2) NOT NULL,
  KEY receipt_number (shop_id, till_no, receipt_no),
  KEY receipt_sold (shop_id, sold_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE receipt_line (
  id         bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  receipt_id bigint unsigned NOT NULL,
  line_no    smallint NOT NULL,
  plu        int NOT NULL,
  kind       enum('sale','return') NOT NULL DEFAULT 'sale',
  quantity   decimal(10,3) NOT NULL,
  unit_price decimal(9,2) NOT NULL,
  voided     tinyint(1) NOT NULL DEFAULT 0,
  KEY receipt_line_receipt (receipt_id, line_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
